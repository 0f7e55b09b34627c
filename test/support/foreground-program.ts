import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../../tools/eventually.ts';

/** A program that runs as on a terminal: Ctrl-C goes to its whole process group. */
export interface ForegroundProgram extends AsyncDisposable {
  /** Waits until it has printed `text` and returns all that it has printed. */
  readonly printed: (text: string, timeoutMs: number) => Promise<string>;
  /** Presses Ctrl-C, waits for its end, and returns how it ended and whether another process of its group still runs. */
  readonly interrupt: () => Promise<{ code: number | null; leavesProcesses: boolean }>;
}

/** Starts a program of this repository, written in TypeScript. */
export function startInForeground(file: string): ForegroundProgram {
  const program = spawn(process.execPath, [file], { detached: true });
  const group = -(program.pid ?? NaN);
  let output = '';
  for (const stream of [program.stdout, program.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(program, 'close');
  return {
    printed: (text, timeoutMs) =>
      eventually(
        `"${text}"`,
        () => {
          if (program.exitCode !== null) throw new Error(output);
          return Promise.resolve(output.includes(text) ? output : undefined);
        },
        { timeoutMs },
      ),
    interrupt: async () => {
      process.kill(group, 'SIGINT');
      await ended;
      return { code: program.exitCode, leavesProcesses: isAlive(group) };
    },
    [Symbol.asyncDispose]: async () => {
      if (isAlive(group)) process.kill(group, 'SIGKILL');
      await ended;
    },
  };
}

/** Whether a process, or any of a group, still runs. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
