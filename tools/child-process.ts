import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a program that ran to its end left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs until it is stopped. */
export interface Running {
  /** Returns what it wrote to stdout and stderr so far. */
  output: () => string;
  /** The exit code, or null while it runs or after a signal ended it. */
  exitCode: () => number | null;
  /** Asks it to end, makes it end after ten seconds, and returns when it has. */
  stop: () => Promise<void>;
}

/** What a program is started with beside its arguments; `env` adds to the environment. */
export interface Surroundings {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A minute by default. */
  readonly timeoutMs?: number;
}

const KILL_AFTER_MS = 10_000;
/** `kubectl edit`, for one, opens its editor again and again while what comes back is wrong. */
const TIMEOUT_MS = 60_000;

/** Runs a program to its end, whatever its exit code, which is null where a signal or its timeout ended it. */
export async function run(command: string, args: readonly string[], around: Surroundings = {}): Promise<Finished> {
  const { stdin = '', env = {}, cwd, timeoutMs: timeout = TIMEOUT_MS } = around;
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, timeout });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends before it has read all of its input is no fault of the caller's.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  await once(child, 'close');
  return { code: child.exitCode, stdout: String(Buffer.concat(stdout)), stderr: String(Buffer.concat(stderr)) };
}

/** Starts a program and leaves it running; `env` adds to the environment. */
export function start(command: string, args: readonly string[], env: Surroundings['env'] = {}): Running {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('error', (error) => chunks.push(Buffer.from(error.message)));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    output: () => String(Buffer.concat(chunks)),
    exitCode: () => child.exitCode,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}
