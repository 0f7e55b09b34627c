import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { at } from '../../tools/json-at.ts';
import type { Serving } from './contender.ts';
import { cpuSeconds } from './process-usage.ts';

/** What one run of the load generator saw; no requests where none was answered in the time. */
export interface Load {
  /** Answered by 200. */
  readonly requests: number;
  /** Answered by another status, or not at all: a server may refuse what is too much at once. */
  readonly refused: number;
  readonly requestsPerSecond: number;
  /** Requests by the CPU time, in seconds, that the server took for them: what one core does. */
  readonly requestsPerCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoadOptions {
  readonly bodyFile: string;
  readonly connections: number;
  readonly seconds: number;
}

/** Whether the load generator is installed. */
export async function hasWrk(): Promise<boolean> {
  // It knows no way to ask for its version that ends with 0.
  return promisify(execFile)('wrk', ['--version']).then(
    () => true,
    (error: unknown) => at(error, 'code') !== 'ENOENT',
  );
}

/**
 * Sends one body over some TLS connections for a while, the next request as soon as the last is answered.
 */
export async function load(serving: Serving, { bodyFile, connections, seconds }: LoadOptions): Promise<Load> {
  const url = `https://127.0.0.1:${serving.port}${serving.path}`;
  const script = join(import.meta.dirname, 'wrk.lua');
  const flags = ['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`];
  const cpuBefore = cpuSeconds(serving.pid);
  const { stdout } = await promisify(execFile)('wrk', [
    ...flags,
    '--timeout',
    '60s',
    '--script',
    script,
    url,
    bodyFile,
  ]);
  const cpu = cpuSeconds(serving.pid) - cpuBefore;
  await idle(serving.pid);
  const seen: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  const number = (name: string): number => Number(at(seen, name));
  const requests = number('requests') - number('failed');
  return {
    requests,
    refused: number('failed'),
    requestsPerSecond: requests / number('seconds'),
    requestsPerCpuSecond: requests / cpu,
    p50Ms: number('p50Ms'),
    p99Ms: number('p99Ms'),
  };
}

const IDLE_AFTER_MS = 100;
const IDLE_WITHIN_MS = 10_000;

/** Waits until a server has done with what was asked of it last: others are measured next. */
async function idle(pid: number): Promise<void> {
  const deadline = Date.now() + IDLE_WITHIN_MS;
  let before = cpuSeconds(pid);
  do {
    await delay(IDLE_AFTER_MS);
    const now = cpuSeconds(pid);
    if (now - before < 0.2 * (IDLE_AFTER_MS / 1_000)) return;
    before = now;
  } while (Date.now() < deadline);
}
