import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from '../../../tools/free-port.ts';
import { BUNDLE } from '../../../tools/jobguard-process.ts';
import { startProgram, type Contender, type Serving, type Site } from '../contender.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** jobguard as it is shipped: the bundle, with the image's flags, metrics, validation and decision log. */
export const jobguard: Contender = {
  name: 'jobguard',
  prepare: () => {
    if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is missing: npm run build`);
    return Promise.resolve({ version: `jobguard, Node ${process.version}`, start: startJobguard });
  },
};

/** Starts `jobguard serve` as the image does. */
export async function startJobguard(site: Site, ...flags: readonly string[]): Promise<Serving & ServesMetrics> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const args = await serveCommand(site, port, metricsPort, flags);
  const program = { name: 'jobguard', command: process.execPath, args, port, path: '/validate' };
  return { ...(await startProgram(site, program)), metricsPort };
}

interface ServesMetrics {
  readonly metricsPort: number;
}

/** Returns what follows `node` on the image's command line, with the bundle in the image's place. */
export async function serveCommand(
  { certFile, keyFile }: Site,
  port: number,
  metricsPort: number,
  flags: readonly string[] = [],
): Promise<string[]> {
  return [
    ...(await imageFlags()),
    ...[BUNDLE, 'serve', '--bind-address', '127.0.0.1', '--secure-port', String(port)],
    ...['--metrics-port', String(metricsPort), '--tls-cert-file', certFile, '--tls-private-key-file', keyFile],
    ...flags,
  ];
}

/** Returns the flags that the Dockerfile gives Node. */
export async function imageFlags(): Promise<string[]> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const entrypoint: unknown = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]');
  if (!Array.isArray(entrypoint)) throw new Error('The Dockerfile has no ENTRYPOINT');
  return entrypoint.slice(1, -1).map(String);
}
