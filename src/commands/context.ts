import type { Readable, Writable } from 'node:stream';

/** What a command can be told apart by from outside; the meaning of each is the command's. */
export type ExitCode = 0 | 1 | 2;

/** The process as main lends it to a command. */
export interface CommandContext {
  readonly stdin: Readable;
  /** Where the API server is, within a cluster; undefined outside of one. */
  readonly apiServer: URL | undefined;
  /** For results. */
  readonly stdout: Writable;
  /** Whether what is written to stdout may be coloured. */
  readonly hasColour: boolean;
  /** For everything else. */
  readonly stderr: Writable;
  /** Whether somebody sits at a terminal who reads stderr and can answer on stdin. */
  readonly isInteractive: boolean;
  /** Sets what the process exits with once nothing is left to do; without it 0. */
  readonly exitWith: (code: ExitCode) => void;
  /** Resolves with the first SIGTERM or SIGINT. From then on the next one ends the process at once, with exit code 1. */
  readonly nextTermination: () => Promise<NodeJS.Signals>;
  /** Ends the process although nobody reads what it wrote, a second after all else is done. */
  readonly endUnread: () => void;
  /** Has an error that nobody caught reported by `report`, after which the process ends with exit code 1. */
  readonly onFault: (report: (error: Error) => void) => void;
}
