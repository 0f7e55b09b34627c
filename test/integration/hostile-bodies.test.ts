import { describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { run } from '../../tools/child-process.ts';
import { call } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { reviewText } from '../support/review.ts';
import { HOSTILE } from './hostile-reviews.ts';
import type { Barrage } from './hostile-sender.ts';
import { startShipped, type ShippedProgram } from './shipped-program.ts';

jest.setTimeout(600_000);

/** 85 % of the chart's memory limit. */
const MAX_RESIDENT_KIB = 0.85 * 768 * 1024;
const MAX_DELAY_MS = 250;
/** A machine that is busy with other things delays whom nothing delays here: as many times the delays without the bodies. */
const TIMES_IDLE = 4;

const SIX_ADDRESSES = Array.from({ length: 6 }, (_, index) => `127.0.0.${10 + index}`);
const ONE_ADDRESS = SIX_ADDRESSES.map(() => '127.0.0.10');
const ALL_KINDS = HOSTILE.map(({ what }) => what);
/** Alone these take less than 220 MiB, while the others take up to 320; all of them together are below. */
const LIGHTER_KINDS = new Set(['maps of permuted keys', 'maps in maps', 'small strings', 'fractions', 'one long text']);

const SMALL_REVIEW = reviewText({
  oldObject: TF_JOB,
  object: withValue(TF_JOB, '/metadata/annotations/note', 'n'.repeat(16_000)),
});

/** Asks as kubelet and another client do until `until` is settled, and returns the longest that the program let each wait. */
async function longestDelays({ pid, metricsPort, endpoint }: ShippedProgram, until: Promise<unknown>): Promise<Delays> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const asked: Readonly<Record<string, () => Promise<number | undefined>>> = {
    '/livez': async () => (await fetch(`http://127.0.0.1:${metricsPort}/livez`)).status,
    '/readyz': async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status,
    review: async () => (await call(endpoint, { agent, body: SMALL_REVIEW })).status,
  };
  let isOver = false;
  const over = until.finally(() => (isOver = true));
  const delays = Object.entries(asked).map(async ([name, ask]) => {
    let longest = 0;
    while (!isOver) {
      const [begun, queued] = [performance.now(), queuedMs(pid)];
      const status = await ask();
      longest = Math.max(longest, performance.now() - begun - (queuedMs(pid) - queued));
      if (status !== 200) throw new Error(`${name} was answered ${status}`);
      await sleep(20);
    }
    return [name, Math.round(longest)] as const;
  });
  const longest = Object.fromEntries(await Promise.all(delays));
  await over;
  agent.destroy();
  return longest;
}

/** In milliseconds, by what was asked. */
type Delays = Readonly<Record<string, number>>;

/**
 * How long the main threads of a process and of this one were ready to run while the machine ran something else: what other
 * processes cost is no delay of the program's. Source: the kernel's Documentation/scheduler/sched-stats.rst.
 */
function queuedMs(pid: number): number {
  const texts = [`/proc/${pid}/schedstat`, '/proc/self/schedstat'].map((file) => readFileSync(file, 'utf8'));
  return texts.reduce((sum, text) => sum + Number(text.split(' ')[1]) / 1e6, 0);
}

/** The most memory that was ever resident. */
function peakResidentKiB({ pid }: ShippedProgram): number {
  return Number(/^VmHWM:\s+(?<kib>\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.groups?.['kib']);
}

/** Returns the codes of the answers. */
async function send(barrage: Barrage): Promise<number[]> {
  const args = [join(import.meta.dirname, 'hostile-sender.ts'), JSON.stringify(barrage)];
  const { stdout, stderr } = await run(process.execPath, args, { timeoutMs: 500_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as number[];
}

describe('six bodies at once, just below the limits, again and again', () => {
  test.each([
    ...ALL_KINDS.filter((kind) => !LIGHTER_KINDS.has(kind)).map((kind) => ({
      what: `of ${kind}, a client each`,
      kinds: [kind],
      addresses: SIX_ADDRESSES,
      rounds: 1,
      unfinished: 0,
    })),
    { what: 'of all kinds, a client each', kinds: ALL_KINDS, addresses: SIX_ADDRESSES, rounds: 2, unfinished: 0 },
    { what: 'of all kinds, from one client', kinds: ALL_KINDS, addresses: ONE_ADDRESS, rounds: 2, unfinished: 0 },
    {
      what: 'of all kinds, beside 980 connections that hold on to 64 KiB each',
      kinds: ALL_KINDS,
      addresses: SIX_ADDRESSES,
      rounds: 1,
      unfinished: 980,
    },
  ])('$what: end, fill and delay nothing', async ({ what, ...barrage }) => {
    await using program = await startShipped();
    const idle = await longestDelays(program, sleep(1_000));
    const sent = send({ endpoint: program.endpoint, ...barrage });
    const delays = await longestDelays(program, sent);
    const peak = peakResidentKiB(program);
    const codes = new Set(await sent);
    process.stdout.write(
      `${what}: ${Math.round(peak / 1024)} MiB; ${JSON.stringify(delays)} ms, idle ${JSON.stringify(idle)} ms; ${[...codes].join(', ')}\n`,
    );
    const bound = Math.max(MAX_DELAY_MS, ...Object.values(idle).map((delay) => delay * TIMES_IDLE));
    expect(Object.values(delays).filter((delay) => delay > bound)).toEqual([]);
    // 408 and 503: its turn came too late, or not in time.
    expect([...codes].filter((code) => ![200, 408, 503].includes(code))).toEqual([]);
    expect(codes).toContain(200);
    expect(peak).toBeLessThanOrEqual(MAX_RESIDENT_KIB);
  });
});
