import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { CHART, helm } from '../tools/helm.ts';
import { archive, unpack } from './archive.ts';
import { changelogEntries } from './changelog.ts';
import type { Identity } from './identity.ts';

/** What a release adds to the chart. */
export interface ChartRelease {
  /** Its version is the one that Chart.yaml has already. */
  readonly identity: Identity;
  /** Of the image: `sha256:…`. */
  readonly imageDigest: string;
  /** CHANGELOG.md, which has an entry of the version. */
  readonly changelog: string;
}

/**
 * Returns the archive of the chart as it is published: with the digest of its image and the changes of its version. The
 * same release of the same chart gives the same bytes.
 *
 * @throws Error with what helm says, or that says what the chart or the changelog lacks
 */
export async function packChart(release: ChartRelease, chart: string = CHART): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-chart-'));
  try {
    const [staged, unpacked] = [join(folder, 'jobguard'), join(folder, 'unpacked')];
    await cp(chart, staged, { recursive: true });
    await rewrite(join(staged, 'Chart.yaml'), (text) => withRelease(text, release));
    await rewrite(join(staged, 'values.yaml'), (text) => withDigest(text, release.imageDigest));
    await rewrite(join(staged, 'README.md'), (text) => withAddresses(text, release.identity));
    const { code, stderr } = await helm(['package', staged, '--destination', folder]);
    if (code !== 0) throw new Error(stderr);
    await mkdir(unpacked);
    // helm leaves out what .helmignore names, but writes the time of day into the archive.
    await unpack(join(folder, `jobguard-${release.identity.version}.tgz`), unpacked);
    return await archive(unpacked, ['jobguard']);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Returns a Chart.yaml with what Artifact Hub shows of a release. */
export function withRelease(chartYaml: string, { identity, imageDigest, changelog }: ChartRelease): string {
  const { version } = identity;
  const document = parseDocument(chartYaml);
  const images = String(document.getIn(['annotations', 'artifacthub.io/images']));
  const annotations = {
    images: images.replaceAll(/(?<=image: )\S+/g, (image) => `${image}@${imageDigest}`),
    changes: stringify(changelogEntries(changelog, version)),
    prerelease: String(version.includes('-')),
  };
  for (const [name, value] of Object.entries(annotations)) {
    document.setIn(['annotations', `artifacthub.io/${name}`], value);
  }
  return String(document);
}

/**
 * Returns a values.yaml that pins the image.
 *
 * @throws Error if it has no empty digest
 */
export function withDigest(valuesYaml: string, imageDigest: string): string {
  const empty = "\n  digest: ''\n";
  if (!valuesYaml.includes(empty)) throw new Error('values.yaml has no line "  digest: \'\'"');
  return valuesYaml.replace(empty, `\n  digest: ${imageDigest}\n`);
}

/** Returns the chart's README for readers who have no checkout, such as those of Artifact Hub. */
export function withAddresses(readme: string, { version, repository, charts }: Identity): string {
  return readme
    .replaceAll('](../../', `](https://github.com/${repository}/blob/v${version}/`)
    .replaceAll(
      'helm install jobguard charts/jobguard',
      `helm install jobguard oci://${charts}/jobguard --version ${version}`,
    );
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}
