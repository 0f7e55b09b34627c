import { join } from 'node:path';

import { freePort } from '../../support/free-port.ts';
import { startProgram, type Contender } from '../contender.ts';

/** The least that a webhook in Node can do. */
export const floor: Contender = {
  name: 'floor',
  prepare: () =>
    Promise.resolve({
      version: `bare node:https, Node ${process.version}`,
      start: async (site) => {
        const port = await freePort();
        const program = join(import.meta.dirname, '../servers/floor.ts');
        const args = [program, String(port), site.certFile, site.keyFile];
        return startProgram(site, { name: 'floor', command: process.execPath, args, port, path: '/validate' });
      },
    }),
};
