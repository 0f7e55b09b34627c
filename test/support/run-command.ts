import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';

import type { Command } from 'commander';

import type { CommandContext, ExitCode } from '../../src/commands/context.ts';
import { UsageError } from '../../src/commands/usage-error.ts';

/** What a command of jobguard left. */
export interface Outcome {
  readonly code: ExitCode;
  readonly stdout: string;
  /** What main would name on stderr. */
  readonly problems: readonly string[];
}

/** What a command runs in; a file, and a folder of files, is found under its own name in `args`. */
export interface Surroundings {
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly stdin?: string;
  readonly hasColour?: boolean;
}

type Context = Pick<CommandContext, 'stdin' | 'stdout' | 'stderr' | 'hasColour' | 'isInteractive' | 'exitWith'>;

/** Runs a command within the test's own process, with files that last as long as it runs. */
export async function runCommand(
  create: (context: Context) => Command,
  args: readonly string[],
  { files = {}, stdin = '', hasColour = false }: Surroundings = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-test-'));
  const output: string[] = [];
  let code: ExitCode = 0;
  const stdout = new Writable({
    write: (chunk, _encoding, done) => {
      output.push(String(chunk));
      done();
    },
  });
  const exitWith = (exitCode: ExitCode): void => void (code = exitCode);
  const problems: string[] = [];
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    const command = create({
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout,
      stderr: new PassThrough().resume(),
      hasColour,
      isInteractive: false,
      exitWith,
    });
    const names = new Set(
      Object.keys(files)
        .flatMap((name) => [name, dirname(name)])
        .filter((name) => name !== '.'),
    );
    const paths = args.map((arg) => (names.has(arg) ? join(folder, arg) : arg));
    await command
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .parseAsync(paths, { from: 'user' });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    code = 2;
    problems.push(...error.problems.map((problem) => problem.replaceAll(`${folder}/`, '')));
  } finally {
    await rm(folder, { recursive: true });
  }
  return { code, stdout: output.join('').replaceAll(`${folder}/`, ''), problems };
}
