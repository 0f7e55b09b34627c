import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from '../../../tools/free-port.ts';
import { at } from '../../../tools/json-at.ts';
import { startProgram, type Contender } from '../contender.ts';

const PACKAGE = join(import.meta.dirname, '../../../node_modules/express/package.json');

/** express with express.json. */
export const express: Contender = {
  name: 'express',
  prepare: async () => {
    const version: unknown = at(JSON.parse(await readFile(PACKAGE, 'utf8')), 'version');
    return {
      version: `express ${String(version)} with express.json, Node ${process.version}`,
      start: async (site) => {
        const port = await freePort();
        const program = join(import.meta.dirname, '../servers/express.ts');
        const args = [program, String(port), site.certFile, site.keyFile];
        const env = { NODE_ENV: 'production' };
        return startProgram(site, { name: 'express', command: process.execPath, args, env, port, path: '/validate' });
      },
    };
  },
};
