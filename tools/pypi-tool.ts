import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './child-process.ts';
import { givenProgram } from './given-program.ts';
import { fillFolder, userCache } from './user-cache.ts';

/** A program that needs no Python, but comes as a package of PyPI. */
export interface PypiTool {
  /** Of the package and of the program. */
  readonly name: string;
  /** `1.2.3`. */
  readonly version: string;
  /** The environment variable that names another one to use instead. */
  readonly override: string;
}

/** A slow line takes its time for ten megabytes. */
const TIMEOUT_MS = 300_000;

/**
 * Returns the path of a program: what its variable names, else the one in the user's cache, into which pip gets it the first
 * time.
 *
 * @throws Error that says why there is none
 */
export async function pypiTool({ name, version, override }: PypiTool): Promise<string> {
  const given = givenProgram(override);
  if (given !== undefined) return given;
  const folder = join(userCache(), 'tools', `${name}-${version}`);
  await fillFolder(folder, [name], async (_missing, staging) => {
    const target = join(staging, 'package');
    await pipInstall(['--no-deps', '--target', target, `${name}==${version}`], `set ${override}`);
    await rename(join(target, 'bin', name), join(staging, name));
  });
  return join(folder, name);
}

/**
 * Returns a folder for `PYTHONPATH` that holds a package of PyPI, and what that needs.
 *
 * @throws Error that says why there is none
 */
export async function pythonPackage(name: string, version: string): Promise<string> {
  const folder = join(userCache(), 'tools', `${name}-${version}`);
  await fillFolder(folder, ['python'], (_missing, staging) =>
    pipInstall(['--target', join(staging, 'python'), `${name}==${version}`], `install ${name}`),
  );
  return join(folder, 'python');
}

async function pipInstall(args: readonly string[], wayOut: string): Promise<void> {
  const command = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...args];
  const { code, stderr } = await run('python3', command, { timeoutMs: TIMEOUT_MS });
  if (code !== 0) throw new Error(`There is no ${String(args.at(-1))}: ${wayOut}, or fix this: ${stderr}`);
}
