import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { run } from '../tools/child-process.ts';

/** The moment that npm gives to every file of a package. Zero makes some programs warn. */
const MODIFIED = '1985-10-26T08:15:00Z';

/**
 * Returns what a `.tar.gz` of `folder`'s entries `names` holds. The same contents give the same bytes, whoever owns the
 * files, wherever and whenever they were written.
 *
 * @throws Error with what tar says; it has to be GNU tar
 */
export async function archive(folder: string, names: readonly string[]): Promise<Buffer> {
  const staging = await mkdtemp(join(tmpdir(), 'jobguard-archive-'));
  try {
    const path = join(staging, 'archive.tar');
    const order = ['--sort=name', '--format=ustar'];
    const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', `--mtime=${MODIFIED}`];
    await succeed('tar', [...order, ...owner, '--create', `--file=${path}`, `--directory=${folder}`, ...names]);
    return gzipSync(await readFile(path), { level: 9 });
  } finally {
    await rm(staging, { recursive: true });
  }
}

/** Writes what an archive holds into a folder. */
export async function unpack(path: string, folder: string): Promise<void> {
  await succeed('tar', ['--extract', '--gzip', `--file=${path}`, `--directory=${folder}`]);
}

async function succeed(command: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(command, args, { env: { LC_ALL: 'C' } });
  if (code !== 0) throw new Error(stderr);
}
