import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createAuthority } from '../../tools/certificates.ts';
import { eventually } from '../../tools/eventually.ts';
import { call } from '../support/https-client.ts';

/** A webhook that is measured. */
export interface Contender {
  readonly name: string;
  /** What is measured of it, with versions; may get it ready, which the first time takes minutes. */
  readonly prepare: () => Promise<Prepared>;
}

export interface Prepared {
  readonly version: string;
  readonly start: (site: Site) => Promise<Serving>;
}

/** Where the contenders of one run are started: a folder with `tls.crt` and `tls.key`, which `ca` signed. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ca: string;
}

/** A contender that serves. */
export interface Serving {
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  readonly stop: () => Promise<void>;
}

/** How a contender is started. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly port: number;
  readonly path: string;
}

/** Makes the folder that a run works in, with a certificate for it. */
export async function createSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-bench-'));
  const authority = await createAuthority();
  const { cert, key } = await authority.issue('webhook', { toHours: 24 });
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  const remove = (): Promise<void> => rm(folder, { recursive: true });
  return { folder, certFile, keyFile, ca: authority.cert, [Symbol.asyncDispose]: remove };
}

/** Starts a program, its log going to a file, and returns once it answers on its port. */
export async function startProgram({ ca, folder }: Site, program: Program): Promise<Serving> {
  const { name, command, args, env = {}, port, path } = program;
  const logFile = join(folder, `${name}.log`);
  await using log = await open(logFile, 'a');
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', log.fd, log.fd] });
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  try {
    await eventually(`${name} to serve`, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${await readFile(logFile, 'utf8')}`);
      return call({ port, ca }, { path, body: '{}' }).catch(() => undefined);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid ?? 0, port, path, stop };
}
