import { parentPort, workerData } from 'node:worker_threads';

import { GO_TYPES } from '../../src/core/go-types.ts';
import { createCoverage } from './coverage.ts';
import { createRandom, mutate, pick } from './mutate.ts';
import { TARGETS, type TargetName } from './targets.ts';

/** What is to be fuzzed, and for how long. */
export interface Task {
  readonly target: TargetName;
  readonly seed: number;
  readonly milliseconds: number;
}

export interface Assignment extends Task {
  /** Holds the input under test as UTF-8, for whoever finds this thread ended, or stuck. */
  readonly input: SharedArrayBuffer;
}

export interface Result {
  readonly executions: number;
  readonly kept: number;
  readonly reached: number;
  /** Why the input under test is wrong; undefined where none is. */
  readonly failure: string | undefined;
}

export const MAX_INPUT_BYTES = 64 * 1024;
/** The input's length, and how many there have been, before its bytes. */
export const HEAD_BYTES = 8;

/** How many of the inputs that were kept last are chosen as often as all the others. */
const RECENT = 50;

if (parentPort) parentPort.postMessage(fuzz(workerData as Assignment));

/** Fuzzes one target: keeps each input that reaches what none reached before, and goes on from there. */
function fuzz({ target: name, seed, milliseconds, input }: Assignment): Result {
  const { judge, seeds } = TARGETS[name];
  const random = createRandom(seed);
  const coverage = createCoverage();
  const corpus: string[] = [];
  const head = new Int32Array(input, 0, 2);
  const bytes = new Uint8Array(input, HEAD_BYTES);
  const words = [...new Set(Object.values(GO_TYPES).flatMap(Object.keys))].map((word) => JSON.stringify(word));
  const choose = (): string => pick(random(2) === 0 ? corpus : corpus.slice(-RECENT), random) ?? '';
  const end = performance.now() + milliseconds;
  const waiting = [...seeds];
  let executions = 0;
  const result = (failure?: string): Result => ({
    executions,
    kept: corpus.length,
    reached: coverage.reached(),
    failure,
  });
  while (performance.now() < end) {
    const text = waiting.pop() ?? mutate(choose(), { random, words, another: choose });
    const { read, written } = new TextEncoder().encodeInto(text, bytes);
    if (read < text.length) continue;
    executions += 1;
    Atomics.store(head, 0, written);
    Atomics.store(head, 1, executions);
    try {
      judge(text);
    } catch (error) {
      return result(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    if (coverage.takeNews()) corpus.push(text);
  }
  return result();
}
