import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chmod, cp, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpack } from '../../release/archive.ts';
import { packChart } from '../../release/chart.ts';
import { readIdentity } from '../../release/identity.ts';
import { sha256 } from '../../release/plugin.ts';
import { CHART, helm, HELM_MAJORS } from '../../tools/helm.ts';
import { describeChart, MANY_PROGRAMS_TIMEOUT_MS } from './layer.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

describeChart("the chart's archive", () => {
  const identity = readIdentity();
  const { version, image } = identity;
  const release = { identity, imageDigest: DIGEST, changelog: `## [${version}] - 2026-12-31\n\n### Added\n\n- A.\n` };
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-archive-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test(
    'is the same, byte by byte, wherever the chart is, whenever it was written and whoever may read it',
    async () => {
      const copy = join(folder, 'a longer name', 'chart');
      await cp(CHART, copy, { recursive: true });
      await utimes(join(copy, 'values.yaml'), 1, 1);
      await chmod(join(copy, 'values.yaml'), 0o600);
      expect(sha256(await packChart(release, copy))).toBe(sha256(await packChart(release)));
    },
    MANY_PROGRAMS_TIMEOUT_MS,
  );

  test.each(HELM_MAJORS)('is installed by Helm %i with the image pinned', async (major) => {
    const path = join(folder, `jobguard-${major}.tgz`);
    await writeFile(path, await packChart(release));
    const { code, stdout } = await helm(['template', 'jobguard', path, '--kube-version', '1.36.3'], { major });
    const images = new Set(stdout.match(/(?<=^ *image: ).*/gm));
    expect([code, images]).toEqual([0, new Set([`${image}:${version}@${DIGEST}`])]);
  });

  test('holds what Helm reads, and no values of the tests', async () => {
    const path = join(folder, 'jobguard.tgz');
    await writeFile(path, await packChart(release));
    await unpack(path, folder);
    const names = ['.helmignore', 'Chart.yaml', 'README.md', 'files', 'templates', 'values.schema.json', 'values.yaml'];
    expect((await readdir(join(folder, 'jobguard'))).sort()).toEqual(names);
  });
});
