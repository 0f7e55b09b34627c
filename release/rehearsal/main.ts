/**
 * Publishes the release that the next tag would make, to registries on this machine, and installs it from there:
 * `make release-rehearsal`.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deepStrictEqual } from 'node:assert';
import { at } from '../../tools/json-at.ts';
import { releaseAssets } from '../assets.ts';
import { withRelease } from '../changelog.ts';
import { readIdentity, ROOT } from '../identity.ts';
import { pushImage } from './image.ts';
import { imagesOf, installPlugin, publishPackage, pushChart } from './installed.ts';
import { installOnNode } from './node.ts';
import { startNpmRegistry, startOciRegistry } from './registries.ts';
import { createSigner } from './signatures.ts';
import { succeed } from './tools.ts';

const identity = readIdentity();
const SBOM = join(ROOT, 'dist/sbom.cdx.json');

/** Says what was tried, and how long it took. */
async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`ok  ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return result;
}

/** Writes the files of the release's page into a folder. */
async function writePage(page: string, imageDigest: string): Promise<void> {
  const unreleased = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const changelog = unreleased.includes(`## [${identity.version}]`)
    ? unreleased
    : withRelease(unreleased, identity.version, new Date().toISOString().slice(0, 10));
  await mkdir(page);
  for (const [name, content] of await releaseAssets({ identity, imageDigest, changelog })) {
    await writeFile(join(page, name), content);
  }
  await succeed('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: page });
}

/** Compares the components of an SBOM with the lock file. */
async function matchLockFile(sbom: unknown): Promise<void> {
  deepStrictEqual(sbom, JSON.parse(await readFile(SBOM, 'utf8')), 'the SBOM that was read back is another');
  const packages = at(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')), 'packages') ?? {};
  const locked = Object.entries(packages).map(
    ([path, { version }]: [string, { version: string }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`,
  );
  const components = at(sbom, 'components');
  const listed = Array.isArray(components)
    ? components.map((each) => `${String(at(each, 'name'))}@${String(at(each, 'version'))}`)
    : [];
  const unknown = listed.filter((each) => !locked.includes(each));
  deepStrictEqual({ unknown, isEmpty: listed.length === 0 }, { unknown: [], isEmpty: false });
}

function sayVersion(outputs: readonly string[]): void {
  for (const output of outputs) {
    if (!output.includes(`version: ${identity.version}\n`)) throw new Error(`not ${identity.version}: ${output}`);
  }
}

async function rehearse(): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-rehearsal-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const { host } = undo.use(await startOciRegistry());
  const npm = undo.use(await startNpmRegistry(folder));
  const signer = await createSigner(folder);
  const page = join(folder, 'page');
  const archive = join(page, `jobguard-${identity.version}.tgz`);

  const image = `${host}/jobguard`;
  const { digest: imageDigest, canRun } = await step('push the image', () =>
    pushImage(`${image}:${identity.version}`, folder),
  );
  await step('make the files of the page, and verify their checksums', () => writePage(page, imageDigest));
  const chartDigest = await step('push the chart, and pull it', () =>
    pushChart(archive, `${host}/charts`, identity.version),
  );
  await step('sign image and chart, and verify that', async () => {
    await signer.sign(`${image}@${imageDigest}`);
    await signer.sign(`${host}/charts/jobguard@${chartDigest}`);
  });
  await step('attest the SBOM, and match what is read back with the lock file', async () => {
    await matchLockFile(await signer.attest(`${image}@${imageDigest}`, SBOM));
  });
  const { host: closed } = undo.use(await startOciRegistry());
  await step('carry both to another registry, and verify the image there', async () => {
    await signer.carry(`${image}@${imageDigest}`, `${closed}/jobguard`);
    await pushChart(archive, `${closed}/charts`, identity.version);
    const images = await imagesOf(`${closed}/charts`, identity.version, closed);
    deepStrictEqual(images, new Set([`${closed}/jobguard:${identity.version}@${imageDigest}`]));
  });
  if (canRun && process.getuid?.() === 0) {
    const carried = { chart: `${closed}/charts/jobguard`, image: `${closed}/jobguard@${imageDigest}` };
    await step('install the carried chart on a node, and run helm test', () =>
      installOnNode({ ...carried, version: identity.version }, folder),
    );
  } else {
    console.log('SKIPPED: the chart on a node, which takes root, and Docker for the image');
  }
  await step('publish the npm package, install it, and run it', async () =>
    sayVersion(await publishPackage(npm.host, identity, folder)),
  );
  await step('install the kubectl plugin with krew, and run it', async () =>
    sayVersion([await installPlugin(page, folder)]),
  );
}

await rehearse();
