import { CommanderError } from 'commander';

import type { CommandContext, ExitCode } from './commands/context.ts';
import { asksForJson, jsonText } from './commands/json-text.ts';
import { createProgram } from './commands/program.ts';
import { UsageError } from './commands/usage-error.ts';

const context: CommandContext = {
  get stdin() {
    return process.stdin;
  },
  apiServer: apiServer(),
  stdout: process.stdout,
  // Source: no-color.org.
  hasColour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  stderr: process.stderr,
  get isInteractive() {
    return process.stdin.isTTY && process.stderr.isTTY;
  },
  exitWith: (code) => {
    process.exitCode = code;
  },
  nextTermination,
  // Unread output alone would keep the process alive; the timer does not.
  endUnread: () => setTimeout(() => process.exit(), UNREAD_OUTPUT_MS).unref(),
  onFault: (report) => {
    process.on('uncaughtException', (error) => {
      report(error);
      process.exit(1);
    });
  },
};

/** Reads what kubelet tells every container of the API server: names of Services cannot be resolved in every cluster. */
function apiServer(): URL | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  if (host === undefined || host === '') return undefined;
  return URL.parse(`https://${host.includes(':') ? `[${host}]` : host}:${port}`) ?? undefined;
}

/** For a reader who is merely slow. */
const UNREAD_OUTPUT_MS = 1_000;

const TERMINATIONS = ['SIGTERM', 'SIGINT'] as const;

function nextTermination(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true;
    const terminate = (signal: NodeJS.Signals): void => {
      if (!isFirst) {
        process.stderr.write(`error: ${signal} during shutdown: exiting immediately\n`);
        process.exit(1);
      }
      isFirst = false;
      resolve(signal);
    };
    for (const signal of TERMINATIONS) process.on(signal, terminate);
  });
}

const isForPrograms = asksForJson(process.argv.slice(2));

/** Says what is wrong with the command line, to programs where they read the answer. */
function outputError(text: string, write: (text: string) => void): void {
  if (isForPrograms) process.stdout.write(jsonText({ error: text.replaceAll(/^error: /gm, '').trimEnd() }));
  else write(text);
}

/** Says what went wrong and returns the exit code for it. */
function report(error: unknown): ExitCode {
  // Help was asked for and given; or commander has said what is wrong with the command line.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError) {
    outputError(error.problems.map((problem) => `error: ${problem}\n`).join(''), (text) => process.stderr.write(text));
    return 2;
  }
  // A system error (a port taken, a file that cannot be written) needs no stack to be understood.
  const text = error instanceof Error && !('syscall' in error) ? error.stack : String(error);
  process.stderr.write(`error: ${text ?? String(error)}\n`);
  return 1;
}

try {
  await createProgram(context, outputError).parseAsync(process.argv);
} catch (error) {
  process.exit(report(error));
}
