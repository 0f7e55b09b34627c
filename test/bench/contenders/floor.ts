import { join } from 'node:path';

import { freePort } from '../../../tools/free-port.ts';
import { startProgram, type Contender, type Serving, type Site } from '../contender.ts';

/** The least that a webhook in Node can do. */
export const floor = bareServer('floor', 'bare node:https', 'floor.ts');

/** What it does once it judges as jobguard does. */
export const judgingFloor = bareServer(
  'judging floor',
  'bare node:https with the judgement of jobguard',
  'judging-floor.ts',
);

function bareServer(name: string, description: string, file: string): Contender {
  return {
    name,
    prepare: () =>
      Promise.resolve({
        version: `${description}, Node ${process.version}`,
        start: (site) => startServer(site, name, file),
      }),
  };
}

/** Starts the floor, with flags for Node. */
export async function startFloor(site: Site, flags: readonly string[] = []): Promise<Serving> {
  return startServer(site, floor.name, 'floor.ts', flags);
}

async function startServer(site: Site, name: string, file: string, flags: readonly string[] = []): Promise<Serving> {
  const port = await freePort();
  const args = [
    ...flags,
    join(import.meta.dirname, '../servers', file),
    ...[String(port), site.certFile, site.keyFile],
  ];
  return startProgram(site, { name, command: process.execPath, args, port, path: '/validate' });
}
