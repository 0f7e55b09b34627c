import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { createAuthority } from '../../tools/certificates.ts';
import { eventually } from '../../tools/eventually.ts';
import { freePort } from '../../tools/free-port.ts';
import { call, type Endpoint } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';
import { at } from '../../tools/json-at.ts';
import { reviewText } from '../support/review.ts';

jest.setTimeout(120_000);

type Jobguard = ChildProcessByStdio<null, Readable, Readable>;

/** A denial with a long line in the log: many times what a pipe (64 KiB) and jobguard's own memory for it (4 MiB) take. */
const DENIED = reviewText({
  username: 'u'.repeat(400),
  name: 'n'.repeat(400),
  namespace: 'x'.repeat(400),
  oldObject: TF_JOB,
  object: Array.from({ length: 10 }, (_, index) => `/spec/${'f'.repeat(200)}${index}`).reduce(
    (job, field) => withValue(job, field, 1),
    TF_JOB,
  ),
});
const REQUESTS = 3_000;

let folder: string;
let endpoint: Endpoint;
let child: Jobguard;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-blocked-log-'));
  const authority = await createAuthority();
  const { cert, key } = await authority.issue('jobguard');
  await writeFile(join(folder, 'tls.crt'), cert);
  await writeFile(join(folder, 'tls.key'), key);
  endpoint = { port: await freePort(), ca: authority.cert };
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  child.stderr.resume();
  child.stdout.resume();
  if (child.exitCode === null && child.signalCode === null) await closed;
});

/** Starts jobguard; nobody reads its output. */
async function startUnread(): Promise<void> {
  child = spawn(
    process.execPath,
    [
      ...[
        BUNDLE,
        'serve',
        '--secure-port',
        String(endpoint.port),
        '--bind-address',
        '127.0.0.1',
        '--metrics-port',
        '0',
      ],
      ...['--tls-cert-file', join(folder, 'tls.crt'), '--tls-private-key-file', join(folder, 'tls.key')],
      ...['--shutdown-delay', '0s'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  await eventually('jobguard to answer', () => call(endpoint, { body: DENIED }).catch(() => undefined), {
    intervalMs: 20,
  });
}

async function sendMany(count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const statuses = await Promise.all(
    Array.from({ length: count }, async () => {
      const { status } = await call(endpoint, { agent, body: DENIED });
      return status ?? 0;
    }),
  );
  agent.destroy();
  return statuses;
}

describe('a log that nobody reads', () => {
  test('delays no answer; what found no room is counted when somebody reads again', async () => {
    await startUnread();
    expect(new Set(await sendMany(REQUESTS))).toEqual(new Set([200]));

    const lines: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text));
    const event = await eventually('what was dropped', () => {
      const line = lines
        .join('')
        .split('\n')
        .find((each) => each.includes('log lines dropped'));
      return Promise.resolve<unknown>(line === undefined ? undefined : JSON.parse(line));
    });
    const logged = lines.join('').split('"decision":"deny"').length - 1;
    expect(event).toMatchObject({ level: 'warn', lines: expect.any(Number) });
    // One more than was sent: the request that found the server answering.
    expect(logged + Number(at(event, 'lines'))).toBeGreaterThanOrEqual(REQUESTS + 1);
    expect(Number(at(event, 'lines'))).toBeGreaterThan(100);
  });

  test('does not keep the process from ending', async () => {
    await startUnread();
    await sendMany(200);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  test('and one whose reader has gone is no fault', async () => {
    await startUnread();
    child.stderr.destroy();
    child.stdout.destroy();
    expect(new Set(await sendMany(200))).toEqual(new Set([200]));
    expect(child.exitCode).toBe(null);
  });
});
