import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { goBuild } from './build.ts';
import { fillFolder, userCache } from '../user-cache.ts';

/**
 * Returns the path of a Go program of this repository, whose folder is a module of its own and gives it its name. It needs no
 * library, and is built where nobody has built it from these very files before.
 */
export async function goProgram(folder: string): Promise<string> {
  const name = basename(folder);
  const built = join(userCache(), 'tools', `${name}-${await version(folder)}`);
  await fillFolder(built, [name], async (_missing, staging) => {
    process.stderr.write(`building ${name} from its Go module\n`);
    await goBuild('build', ['-o', join(staging, name), '.'], { cwd: folder });
  });
  return join(built, name);
}

async function version(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(folder)).sort()) hash.update(file).update(await readFile(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}
