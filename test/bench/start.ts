import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { freePort } from '../../tools/free-port.ts';
import type { Site } from './contender.ts';
import { serveCommand } from './contenders/jobguard.ts';

/** Starts jobguard again and again, and returns how long each took until its /readyz said ok, in milliseconds. */
export async function measureStarts(site: Site, starts: number): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < starts; count += 1) times.push(await startOnce(site));
  return times;
}

async function startOnce(site: Site): Promise<number> {
  const metricsPort = await freePort();
  const args = await serveCommand(site, await freePort(), metricsPort);
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(child, 'close');
  try {
    await servingLine(child.stderr);
    const response = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
    if (response.status !== 200) throw new Error(`jobguard is not ready: ${await response.text()}`);
    return performance.now() - start;
  } finally {
    child.kill('SIGKILL');
    await closed;
  }
}

/** Waits for the line with which jobguard says that it serves. */
async function servingLine(log: NodeJS.ReadableStream): Promise<void> {
  for await (const line of createInterface({ input: log })) if (line.includes('"msg":"serving"')) return;
  throw new Error('jobguard ended before it served');
}
