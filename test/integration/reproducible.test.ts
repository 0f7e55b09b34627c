import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packPlugin, sha256 } from '../../release/plugin.ts';
import { run } from '../../tools/child-process.ts';

jest.setTimeout(120_000);

const ROOT = join(import.meta.dirname, '../..');
/** What the builder of the image gets, too. */
const SOURCES = ['build', 'esbuild.config.js', 'LICENSE', 'package.json', 'package-lock.json', 'schemas', 'src'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-reproducible-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Builds what `checkout` holds, and returns the checksum of every file that came out, and of the plugin's archive. */
async function build(checkout: string, env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  await rm(join(checkout, 'dist'), { recursive: true, force: true });
  const { code, stderr } = await run(process.execPath, ['esbuild.config.js'], { cwd: checkout, env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const names = await readdir(join(checkout, 'dist'));
  const sums = names.map(async (name) => [name, sha256(await readFile(join(checkout, 'dist', name)))] as const);
  return { ...Object.fromEntries(await Promise.all(sums)), plugin: sha256(await packPlugin(checkout)) };
}

test('the same sources give the same bytes, whatever the folder, the time zone and the language', async () => {
  const checkout = join(folder, 'here');
  for (const name of SOURCES) await cp(join(ROOT, name), join(checkout, name), { recursive: true });
  // Links are made in a moment, where the folders are on one disk.
  const [source, modules] = [join(ROOT, 'node_modules'), join(checkout, 'node_modules')];
  const linked = await run('cp', ['--archive', '--link', source, modules]);
  if (linked.code !== 0) await cp(source, modules, { recursive: true, force: true, verbatimSymlinks: true });
  const first = await build(checkout, { TZ: 'UTC', LANG: 'C' });
  const elsewhere = join(folder, 'a longer name', 'elsewhere');
  await mkdir(dirname(elsewhere));
  await rename(checkout, elsewhere);
  expect(await build(elsewhere, { TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8' })).toEqual(first);
  expect(Object.keys(first).sort()).toEqual(
    [
      ...['THIRD-PARTY-NOTICES.txt', 'index.js', 'jobguard.js', 'judging-worker.js', 'kubeconfig.js', 'plugin'],
      'sbom.cdx.json',
    ].sort(),
  );
});
