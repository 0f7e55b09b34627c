/**
 * Fuzzes the judgement and the policy reader, each for half of the time, guided by which code an input leads to.
 *
 *   npm run fuzz -- --minutes 10
 *   npm run fuzz -- --minutes 10 --target policy --seed 7
 *   npm run fuzz -- --target policy --input FILE
 *
 * Exits with 1 at the first input that is judged wrongly, that throws what it should not, or that never ends, and says
 * where that input is.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

import { TARGETS, type TargetName } from './targets.ts';
import { HEAD_BYTES, MAX_INPUT_BYTES, type Assignment, type Result, type Task } from './worker.ts';

const MINUTE_MS = 60_000;
/** Judging an input takes milliseconds, and on a machine that is busy with other things some seconds. */
const STUCK_AFTER_MS = 300_000;

const NOTHING = { executions: 0, kept: 0, reached: 0 } as const;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    target: { type: 'string' },
    input: { type: 'string' },
  },
});
const names = (Object.keys(TARGETS) as TargetName[]).filter((name) => (flags.target ?? name) === name);
if (names.length === 0) throw new Error(`--target must be one of ${Object.keys(TARGETS).join(', ')}`);
if (flags.input === undefined) await fuzz(names, Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31)));
else for (const name of names) TARGETS[name].judge(readFileSync(flags.input, 'utf8'));

/** Fuzzes one target after the other, until an input of one is wrong. */
async function fuzz(targets: readonly TargetName[], seed: number): Promise<void> {
  const milliseconds = (Number(flags.minutes) * MINUTE_MS) / targets.length;
  for (const target of targets) {
    if (await isClean({ target, seed, milliseconds })) continue;
    process.exitCode = 1;
    return;
  }
}

/** Fuzzes one target, and says what came of it. */
async function isClean(task: Task): Promise<boolean> {
  const { target, seed, milliseconds } = task;
  const input = new SharedArrayBuffer(HEAD_BYTES + MAX_INPUT_BYTES);
  const workerData: Assignment = { ...task, input };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData,
    execArgv: ['--import', new URL('./instrument.js', import.meta.url).href],
  });
  const { failure, executions, kept, reached } = await resultOf(worker, input);
  await worker.terminate();
  say(
    `${target}: ${executions} inputs in ${milliseconds / 1000} s, ${kept} kept, ${reached} counters reached, seed ${seed}`,
  );
  if (failure === undefined) return true;
  const file = join(mkdtempSync(join(tmpdir(), 'jobguard-fuzz-')), target);
  const [length] = new Int32Array(input, 0, 1);
  writeFileSync(file, new Uint8Array(input, HEAD_BYTES, length));
  say(`${failure}\n\nThe input is in ${file}.`);
  return false;
}

/** Waits for a worker's result, or for what ended it, or for an input that it does not finish. */
async function resultOf(worker: Worker, input: SharedArrayBuffer): Promise<Result> {
  const finished = new AbortController();
  const message = once(worker, 'message').then(([result]: unknown[]) => result as Result);
  try {
    return await Promise.race([message, stuck(input, finished.signal)]);
  } catch (error) {
    return { ...NOTHING, executions: executionsOf(input), failure: `the thread ended: ${String(error)}` };
  } finally {
    finished.abort();
  }
}

/** Waits for an input that is not judged in time. */
async function stuck(input: SharedArrayBuffer, signal: AbortSignal): Promise<Result> {
  let before: number;
  do {
    before = executionsOf(input);
    await setTimeout(STUCK_AFTER_MS, undefined, { signal });
  } while (executionsOf(input) > before);
  return { ...NOTHING, executions: before, failure: `not judged within ${STUCK_AFTER_MS} ms` };
}

function executionsOf(input: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(input, 0, 2), 1);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
