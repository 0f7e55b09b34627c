import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { readIdentity } from '../../release/identity.ts';
import { krewManifest, packPlugin } from '../../release/plugin.ts';
import { run, type Finished } from '../../tools/child-process.ts';
import { krewBinary } from '../../tools/krew.ts';
import { unlessMissing } from '../support/missing-layer.ts';

jest.setTimeout(120_000);

const krew = await unlessMissing('the tests of the kubectl plugin: no krew', krewBinary);

(krew === undefined ? describe.skip : describe)('the kubectl plugin', () => {
  const identity = readIdentity();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-krew-'));
    const plugin = await packPlugin();
    await writeFile(join(folder, 'plugin.tar.gz'), plugin);
    await writeFile(join(folder, 'other.tar.gz'), plugin.subarray(0, -1));
    await writeFile(join(folder, 'krew.yaml'), await krewManifest(identity, plugin));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Installs an archive by the manifest into a krew of its own. */
  const install = (archive: string): Promise<Finished> =>
    run(krew ?? '', ['install', '--manifest=krew.yaml', `--archive=${archive}`], {
      cwd: folder,
      env: { KREW_ROOT: join(folder, 'root'), KREW_NO_UPGRADE_CHECK: '1' },
    });

  test('is not installed from another archive than that of its manifest', async () => {
    const { code, stderr } = await install('other.tar.gz');
    expect(code).toBe(1);
    expect(stderr).toContain('checksum does not match');
  });

  test('is installed by its manifest, and is the program', async () => {
    expect(await install('plugin.tar.gz')).toMatchObject({ code: 0 });
    const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
    const { code, stdout } = await run(join(folder, 'root/bin/kubectl-jobguard'), ['version'], { env: { PATH: path } });
    expect([code, stdout]).toEqual([0, expect.stringContaining(`version: ${identity.version}\n`)]);
  });
});
