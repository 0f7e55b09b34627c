import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { MUTATORS } from '../support/mutations.ts';
import type { Result, Run } from './judged-pairs.ts';

/** Another one in each run, so that each run sees other jobs; in the title, so that a failure can be seen again. */
const SEED = Number(process.env['JOBGUARD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const GUARDED = ['small TFJob', 'known TFJob', 'known PyTorchJob', 'rich PyTorchJob'] as const;
const TIMEOUT_MS = 600_000; // about a minute on an idle machine; a busy one takes several times that

describe(`updates made up with JOBGUARD_SEED=${SEED}`, () => {
  test.each<[string, Omit<Run, 'seed'>]>([
    ['the default policy', { policy: 'default', jobs: GUARDED, pairs: 50_000 }],
    [
      'every preset on',
      { policy: 'presets', jobs: [...GUARDED, 'MPIJob', 'PaddleJob', 'JAXJob', 'XGBoostJob'], pairs: 10_000 },
    ],
    ['paths and exemptions of its own', { policy: 'own', jobs: [...GUARDED, 'MPIJob', 'TrainJob'], pairs: 10_000 }],
  ])(
    '%s: both judges agree, and the answer is safe to show',
    async (title, run) => {
      const result = await judgePairs({ ...run, seed: SEED });
      if (result.failure !== undefined) throw new Error(result.failure);
      process.stdout.write(`${title}: ${summary(run.pairs, result)}\n`);
      expectVariety(run.pairs, result);
    },
    TIMEOUT_MS,
  );
});

async function judgePairs(run: Run): Promise<Result> {
  const worker = new Worker(new URL('./judged-pairs.ts', import.meta.url), { workerData: run });
  const message: unknown[] = await once(worker, 'message');
  await worker.terminate();
  return message[0] as Result;
}

function summary(pairs: number, { milliseconds, seen }: Result): string {
  const outcomes = ['allow', 'deny', 'exempt', 'unjudgeable', 'out_of_scope'];
  const shares = outcomes.map(
    (outcome) => `${Math.round((1000 * (seen.get(outcome) ?? 0)) / pairs) / 10} % ${outcome}`,
  );
  return `${pairs} pairs, ${Math.round((1000 * pairs) / milliseconds)} a second; ${shares.join(', ')} of mutated jobs`;
}

/** Fails where the mutations have gone stale: too little of an outcome, or a mutation that no longer finds its place. */
function expectVariety(pairs: number, { seen }: Result): void {
  const isRare = (key: string, share: number): boolean => (seen.get(key) ?? 0) < share * pairs;
  const rare = Object.keys(MUTATORS).filter((kind) => isRare(kind, 0.015));
  expect(rare).toEqual([]);
  expect(isRare('allow', 0.1) || isRare('deny', 0.1) || isRare('exempt', 0.001)).toBe(false);
}
