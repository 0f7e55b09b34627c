import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createAuthority } from '../../tools/certificates.ts';
import { freePort } from '../../tools/free-port.ts';
import { startJobguard, type JobguardProcess, type Program } from '../../tools/jobguard-process.ts';
import type { Endpoint } from '../support/https-client.ts';

/** A `jobguard serve` with the flags and the environment that the image gives it. */
export interface ShippedProgram extends JobguardProcess {
  readonly endpoint: Endpoint;
}

/** Starts the bundle as the image starts it. */
export async function startShipped(...flags: string[]): Promise<ShippedProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-shipped-'));
  const authority = await createAuthority();
  const { cert, key } = await authority.issue('jobguard');
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  const metricsPort = String(await freePort());
  const args = ['--tls-cert-file', certFile, '--tls-private-key-file', keyFile, '--metrics-port', metricsPort];
  const jobguard = await startJobguard([...args, ...flags], await imageSettings());
  return {
    ...jobguard,
    endpoint: { port: jobguard.securePort, ca: authority.cert },
    [Symbol.asyncDispose]: async () => {
      await jobguard[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** Reads what the image tells Node: the flags of its ENTRYPOINT, and its environment. */
async function imageSettings(): Promise<Pick<Program, 'nodeArgs' | 'env'>> {
  const dockerfile = await readFile(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
  const variables = /^ENV (?<words>.*)$/m.exec(dockerfile)?.groups?.['words'] ?? '';
  const entrypoint: unknown = JSON.parse(/^ENTRYPOINT (?<words>\[.*\])$/m.exec(dockerfile)?.groups?.['words'] ?? '[]');
  return {
    nodeArgs: (Array.isArray(entrypoint) ? entrypoint.map(String) : []).filter((word) => word.startsWith('--')),
    env: Object.fromEntries(variables.split(' ').map((word) => word.split('=', 2))) as Record<string, string>,
  };
}
