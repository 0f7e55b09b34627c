import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../child-process.ts';
import { eventually } from '../eventually.ts';
import { at } from '../json-at.ts';
import { userCache } from '../user-cache.ts';

/** A Docker engine that answers. */
export interface Docker {
  /** Where it listens, as `DOCKER_HOST` has it; undefined for the one that docker finds by itself. */
  readonly host: string | undefined;
  /** Its process, if it was started here. */
  readonly pid: number | undefined;
  /** Ends it, if it was started here. */
  stop: () => Promise<void>;
}

/** The first build fetches every dependency and base image. */
const TIMEOUT_MS = 600_000;

/** Runs the docker command and returns what it wrote to stdout, without the last newline. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('docker', args, { timeoutMs: TIMEOUT_MS });
  if (code !== 0)
    throw new Error(`docker ${args.join(' ')}: exit code ${String(code)}\n${(stdout + stderr).slice(-4000)}`);
  return stdout.trimEnd();
}

/** Returns what `docker inspect` knows of an image or a container, at a place in it: `inspect(id, 'State', 'Pid')`. */
export async function inspect(idOrName: string, ...path: readonly string[]): Promise<unknown> {
  const found: unknown = JSON.parse(await docker('inspect', idOrName));
  return at(found, 0, ...path);
}

/**
 * Finds a Docker engine, or else starts one, which takes root, dockerd and iptables.
 *
 * One that is started here keeps its images in the user's cache, publishes ports on 127.0.0.1 only and touches no other
 * engine's files.
 *
 * @throws Error that says why there is none
 */
export async function startDocker(): Promise<Docker> {
  const unanswered = await failure('docker', ['version']);
  if (unanswered === undefined) return { host: undefined, pid: undefined, stop: () => Promise.resolve() };
  const unstartable = process.getuid?.() === 0 ? await failure('dockerd', ['--version']) : 'only root may start one';
  if (unstartable !== undefined) throw new Error(`No Docker engine answers (${unanswered}): ${unstartable}`);
  return startDockerd(join(userCache(), 'docker'));
}

/** Returns why a program does not do what it is asked, or undefined where it does. */
async function failure(command: string, args: readonly string[]): Promise<string | undefined> {
  return run(command, args).then(
    ({ code, stderr }) => (code === 0 ? undefined : stderr.trim()),
    (error: unknown) => String(error),
  );
}

async function startDockerd(folder: string): Promise<Docker> {
  await mkdir(folder, { recursive: true });
  const host = `unix://${join(folder, 'docker.sock')}`;
  const log = join(folder, 'dockerd.log');
  const output = openSync(log, 'w');
  const files = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run')];
  const pidFile = ['--pidfile', join(folder, 'dockerd.pid')];
  const dockerd = spawn('dockerd', ['--host', host, '--ip', '127.0.0.1', ...files, ...pidFile], {
    stdio: ['ignore', output, output],
  });
  const ended = new Promise<void>((resolve) => dockerd.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    dockerd.kill('SIGTERM');
    await ended;
  };
  try {
    await eventually('dockerd', async () => {
      if (dockerd.exitCode !== null) return 'ended';
      return (await failure('docker', ['--host', host, 'version'])) === undefined ? 'answers' : undefined;
    });
    if (dockerd.exitCode !== null) throw new Error(`exit code ${dockerd.exitCode}`);
    return { host, pid: dockerd.pid, stop };
  } catch (error) {
    await stop();
    throw new Error(`dockerd does not start: ${(await readFile(log, 'utf8')).slice(-2000)}`, { cause: error });
  }
}
