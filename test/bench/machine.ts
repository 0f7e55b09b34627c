import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';

/** What everything ran on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly node: string;
  readonly wrk: string;
}

export async function describeMachine(): Promise<Machine> {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    wrk: await wrkVersion(),
  };
}

/** It writes its version, and then ends as if that were a mistake. */
async function wrkVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', 'wrk --version || true']);
  return stdout.split('\n')[0]?.replace(/ Copyright.*/, '') ?? '';
}
