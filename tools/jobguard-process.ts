import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

import { at } from './json-at.ts';
import { eventually } from './eventually.ts';

/** The program as it is shipped: `npm run build` makes it. */
export const BUNDLE = join(import.meta.dirname, '../dist/jobguard.js');

/** A `jobguard serve` in a process of its own. */
export interface JobguardProcess extends AsyncDisposable {
  readonly pid: number;
  readonly securePort: number;
  /** 0 where it has no plain port. */
  readonly metricsPort: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
}

/** What is started in place of the bundle, and what Node is told before. */
export interface Program {
  readonly bundle?: string;
  readonly nodeArgs?: readonly string[];
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file that gets its log, too. */
  readonly logFile?: string | undefined;
}

/** Starts `jobguard serve` on a secure port that the system chooses and returns once it says that it serves. */
export async function startJobguard(
  args: readonly string[],
  { bundle = BUNDLE, nodeArgs = [], env = {}, logFile }: Program = {},
): Promise<JobguardProcess> {
  const command = [...nodeArgs, bundle, 'serve', '--secure-port', '0', '--bind-address', '127.0.0.1', ...args];
  const child = spawn(process.execPath, command, { env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  if (logFile !== undefined) child.stderr.pipe(createWriteStream(logFile));
  const exited = once(child, 'close').then(() => child.exitCode ?? child.signalCode);

  const serving = await eventually(
    'jobguard to serve',
    async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output.stderr}`);
      return Promise.resolve(
        output.stderr
          .split('\n')
          .slice(0, -1)
          .find((line) => line.includes('"msg":"serving"')),
      );
    },
    { intervalMs: 5 },
  );
  const event: unknown = JSON.parse(serving);
  return {
    pid: child.pid ?? 0,
    securePort: Number(at(event, 'securePort')),
    metricsPort: Number(at(event, 'metricsPort') ?? 0),
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    signal: (name) => child.kill(name),
    exited,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
