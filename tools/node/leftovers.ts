import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../child-process.ts';
import { CABLE, CGROUP, cgroups, FOLDER } from './node.ts';

/** Returns what there is of a node on this machine, one name each: processes, mounts, cgroups, network links, folders. */
export async function leftovers(): Promise<string[]> {
  const found = await Promise.all([processes(), mounts(), links(), folders()]);
  return [...found.flat(), ...groups()];
}

/** Whoever is in a cgroup of the node's, or was told of its folder. */
async function processes(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const told = await Promise.all(['cgroup', 'cmdline'].map((file) => contents(join('/proc', pid, file))));
      const isOurs = told.some((text) => text.includes(`:/${CGROUP}/`) || text.includes(join(tmpdir(), FOLDER)));
      return isOurs ? [`process ${pid}: ${(told[1] ?? '').replaceAll('\0', ' ')}`] : [];
    }),
  );
  return found.flat();
}

async function mounts(): Promise<string[]> {
  const lines = (await contents('/proc/self/mounts')).split('\n');
  return lines.filter((line) => line.includes(FOLDER)).map((line) => `mount ${line}`);
}

function groups(): string[] {
  return cgroups()
    .filter((group) => existsSync(group))
    .map((group) => `cgroup ${group}`);
}

async function links(): Promise<string[]> {
  const { stdout } = await run('ip', ['-oneline', 'link']);
  return stdout
    .split('\n')
    .filter((line) => line.includes(CABLE))
    .map((line) => `link ${line}`);
}

async function folders(): Promise<string[]> {
  const names = await readdir(tmpdir());
  return names.filter((name) => name.startsWith(FOLDER)).map((name) => `folder ${join(tmpdir(), name)}`);
}

/** Empty where it is gone, as processes go. */
async function contents(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
