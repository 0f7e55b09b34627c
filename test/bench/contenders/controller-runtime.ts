import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from '../../support/free-port.ts';
import { fillFolder, userCache } from '../../support/user-cache.ts';
import { startProgram, type Contender } from '../contender.ts';

const MODULE = join(import.meta.dirname, '../servers/controller-runtime');
const NAME = 'controller-runtime';

/** A webhook in Go on controller-runtime. */
export const controllerRuntime: Contender = {
  name: NAME,
  prepare: async () => {
    const command = await build();
    const { stdout } = await promisify(execFile)('go', ['version', '-m', command]);
    const version = /controller-runtime\s+(v[\d.]+)/.exec(stdout)?.[1] ?? '';
    const go = /go[\d.]+/.exec(stdout.replace(command, ''))?.[0] ?? '';
    return {
      version: `controller-runtime ${version} with the operator's types, ${go}`,
      start: async (site) => {
        const port = await freePort();
        const args = [String(port), site.folder];
        return startProgram(site, { name: NAME, command, args, port, path: '/validate' });
      },
    };
  },
};

/** Builds the program, unless the user's cache has it. */
async function build(): Promise<string> {
  const sources = await Promise.all(
    ['main.go', 'go.mod', 'go.sum'].map((name) => readFile(join(MODULE, name), 'utf8')),
  );
  const hash = createHash('sha256').update(sources.join('')).digest('hex').slice(0, 12);
  const folder = join(userCache(), 'tools', `bench-${NAME}-${hash}`);
  await fillFolder(folder, [NAME], async (_missing, staging) => {
    process.stderr.write(`building the webhook on ${NAME}; it takes minutes, the first time\n`);
    await promisify(execFile)('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(staging, NAME), '.'], {
      cwd: MODULE,
      env: { ...process.env, GOWORK: 'off' },
      maxBuffer: 2 ** 26,
    });
  });
  return join(folder, NAME);
}
