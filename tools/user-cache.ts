import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Returns the folder that outlives a checkout, where the tests keep what is slow to get: `~/.cache/jobguard`. */
export function userCache(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  // The XDG base directory specification has relative paths ignored.
  return join(isAbsolute(base) ? base : join(homedir(), '.cache'), 'jobguard');
}

/** Writes files into a staging folder. */
type Make = (missing: readonly string[], staging: string) => Promise<void>;

const underWay = new Map<string, Promise<void>>();

/**
 * Makes those of the files `names` that `folder` does not hold yet.
 *
 * `make` writes them into a staging folder beside the others, and they are renamed into place when all are there: what
 * `folder` holds is complete. Whoever asks for a folder that is being filled waits; only another process does the work twice.
 */
export async function fillFolder(folder: string, names: readonly string[], make: Make): Promise<void> {
  const before = underWay.get(folder)?.catch(() => undefined) ?? Promise.resolve();
  const filling = before.then(() => fillNow(folder, names, make));
  underWay.set(folder, filling);
  return filling;
}

async function fillNow(folder: string, names: readonly string[], make: Make): Promise<void> {
  const missing = names.filter((name) => !existsSync(join(folder, name)));
  if (missing.length === 0) return;
  await mkdir(folder, { recursive: true });
  const staging = await mkdtemp(join(folder, '.making-'));
  try {
    await make(missing, staging);
    for (const name of missing) await rename(join(staging, name), join(folder, name));
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
