import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from '../../../tools/free-port.ts';
import { goProgram } from '../../../tools/go/program.ts';
import { startProgram, type Contender } from '../contender.ts';

const MODULE = join(import.meta.dirname, '../servers/controller-runtime');
const NAME = 'controller-runtime';

/** A webhook in Go on controller-runtime. */
export const controllerRuntime: Contender = {
  name: NAME,
  prepare: async () => {
    const command = await goProgram(MODULE);
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
