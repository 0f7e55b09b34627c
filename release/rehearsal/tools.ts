import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type Surroundings } from '../../tools/child-process.ts';
import { goTool } from '../../tools/go/tool.ts';
import { fillFolder, userCache } from '../../tools/user-cache.ts';

/** Signs and verifies; it takes minutes to build. */
const COSIGN = {
  name: 'cosign',
  package: 'github.com/sigstore/cosign/v3/cmd/cosign',
  version: 'v3.1.3',
  override: 'COSIGN',
};

/** Serves a registry, and tells what is in one. */
const CRANE = {
  name: 'crane',
  package: 'github.com/google/go-containerregistry/cmd/crane',
  version: 'v0.22.1',
  override: 'CRANE',
};

/** An npm registry. Some mirrors of npm's lack the tag `cjs` that one of its packages asks for. */
const VERDACCIO = { dependencies: { verdaccio: '6.10.4' }, overrides: { 'node-fetch': '2.7.0' } };

const INSTALL_TIMEOUT_MS = 300_000;

export const cosignBinary = (): Promise<string> => goTool(COSIGN);
export const craneBinary = (): Promise<string> => goTool(CRANE);

/** Returns the path of verdaccio's script, which Node runs. */
export async function verdaccioScript(): Promise<string> {
  const folder = join(userCache(), 'tools', `verdaccio-${VERDACCIO.dependencies.verdaccio}`);
  await fillFolder(folder, ['node_modules'], async (_missing, staging) => {
    await mkdir(staging, { recursive: true });
    await writeFile(join(staging, 'package.json'), JSON.stringify({ private: true, ...VERDACCIO }));
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await succeed('npm', ['install', ...flags], { cwd: staging, timeoutMs: INSTALL_TIMEOUT_MS });
  });
  return join(folder, 'node_modules/verdaccio/bin/verdaccio');
}

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws Error with the end of its output, where its exit code is not 0
 */
export async function succeed(command: string, args: readonly string[], around: Surroundings = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, around);
  if (code === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')}: exit code ${String(code)}\n${(stdout + stderr).slice(-2000)}`);
}

/**
 * Runs a program that has to refuse what it is given.
 *
 * @throws Error if it accepts it, or fails for another reason
 */
export async function refuse(
  reason: string,
  command: string,
  args: readonly string[],
  around: Surroundings = {},
): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, around);
  if (code !== 0 && stderr.includes(reason)) return;
  throw new Error(`${command} ${args.join(' ')} should say "${reason}", but: ${(stdout + stderr).slice(-2000)}`);
}
