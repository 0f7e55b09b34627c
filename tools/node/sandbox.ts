import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { run, start, type Finished, type Running } from '../child-process.ts';
import { eventually } from '../eventually.ts';

/** Network, mount and process namespaces of their own: what is made in them is gone when they are. */
export interface Sandbox {
  /** The process, as the machine counts, that holds the namespaces. */
  readonly pid: number;
  /** The command that runs another one, which has to follow, in it. */
  readonly enter: readonly string[];
  /** Runs a shell script in it, to its end. */
  run: (script: string) => Promise<Finished>;
  /** Starts a program in it. It ends with the sandbox. */
  start: (command: string, args: readonly string[]) => Running;
  stop: () => Promise<void>;
}

/**
 * Opens a sandbox, which takes root. It ends, and with it every process in it, when the process that opened it does, however
 * that ends.
 */
export async function openSandbox(): Promise<Sandbox> {
  // Its first process reads from a pipe that closes with us. Orphans are its children, and it lets the kernel bury them.
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const holder = spawn('unshare', [...namespaces, 'sh', '-c', "trap '' CHLD; exec cat"], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const closed = once(holder, 'close');
  const pid = await eventually('a sandbox', () => {
    if (holder.exitCode !== null) throw new Error('unshare opens no namespaces; only root may');
    return firstChild(holder.pid);
  });
  const flags = ['--target', String(pid), '--net', '--mount', '--pid', '--'];
  return {
    pid,
    enter: ['nsenter', ...flags],
    run: (script) => run('nsenter', [...flags, 'sh', '-ec', script]),
    start: (command, args) => start('nsenter', [...flags, command, ...args]),
    stop: async () => {
      holder.stdin.end();
      await closed;
    },
  };
}

async function firstChild(pid: number | undefined): Promise<number | undefined> {
  const children = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').catch(() => '');
  const child = Number(children.split(' ')[0]);
  // Before it is cat, it has not yet made its mounts.
  const command = child > 0 ? await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '') : '';
  return command === 'cat\n' ? child : undefined;
}
