/**
 * Makes the files of a release's page:
 *
 *     node release/assets.ts --version 1.2.3 --image-digest sha256:… --output FOLDER
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { releaseNotes } from './changelog.ts';
import { packChart } from './chart.ts';
import { readIdentity, ROOT, type Identity } from './identity.ts';
import { krewManifest, packPlugin, sha256 } from './plugin.ts';

const FLAVOURS = ['self-managed', 'cert-manager', 'existing-secret'];
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** What the files of a release are made from. */
export interface Assets {
  readonly identity: Identity;
  /** `sha256:…` */
  readonly imageDigest: string;
  readonly changelog: string;
}

/** Returns the files of a release's page by their names, `NOTES.md` and `SHA256SUMS` among them. */
export async function releaseAssets({
  identity,
  imageDigest,
  changelog,
}: Assets): Promise<Map<string, string | Buffer>> {
  const { version, image } = identity;
  const plugin = await packPlugin();
  const files = new Map<string, string | Buffer>([
    [`jobguard-${version}.tgz`, await packChart({ identity, imageDigest, changelog })],
    ['kubectl-jobguard.tar.gz', plugin],
    ['krew.yaml', await krewManifest(identity, plugin)],
    ['policy.schema.json', await readFile(join(ROOT, 'schemas/policy.schema.json'), 'utf8')],
    ['sbom.cdx.json', await readFile(join(ROOT, 'dist/sbom.cdx.json'), 'utf8')],
  ]);
  for (const flavour of FLAVOURS) {
    const manifest = await readFile(join(ROOT, 'deploy', flavour, 'jobguard.yaml'), 'utf8');
    const tagged = `${image}:${version}`;
    files.set(`jobguard-${flavour}.yaml`, manifest.replaceAll(tagged, `${tagged}@${imageDigest}`));
  }
  const sums = [...files].map(([name, content]) => `${sha256(content)}  ${name}\n`).sort(byName);
  return files.set('SHA256SUMS', sums.join('')).set('NOTES.md', pageText({ identity, imageDigest, changelog }));
}

/** Returns what the page of a release says, in Markdown. */
export function pageText({ identity, imageDigest, changelog }: Assets): string {
  const { version, repository, image, charts } = identity;
  return `${releaseNotes(changelog, version)}

### Install

\`\`\`
helm install jobguard oci://${charts}/jobguard --version ${version} --namespace jobguard --create-namespace --wait
\`\`\`

The image is \`${image}:${version}@${imageDigest}\`.
[Verify what you install](https://github.com/${repository}/blob/v${version}/docs/verify.md).
`;
}

function byName(one: string, other: string): number {
  return one.slice(64) < other.slice(64) ? -1 : 1;
}

/**
 * Writes the files.
 *
 * @throws Error that says which flag is wrong
 */
async function main(): Promise<void> {
  const options = {
    version: { type: 'string' },
    'image-digest': { type: 'string' },
    output: { type: 'string' },
  } as const;
  const { version = '', 'image-digest': imageDigest = '', output = '' } = parseArgs({ options }).values;
  const identity = readIdentity();
  if (version !== identity.version) throw new Error(`--version ${version}: package.json has ${identity.version}`);
  if (!DIGEST.test(imageDigest)) throw new Error(`--image-digest ${imageDigest}: not sha256: with 64 digits`);
  if (output === '') throw new Error('--output is missing');
  const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  await mkdir(output, { recursive: true });
  for (const [name, content] of await releaseAssets({ identity, imageDigest, changelog })) {
    await writeFile(join(output, name), content);
  }
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  });
}
