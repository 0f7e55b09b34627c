import { describe, expect, test } from '@jest/globals';
import { MUTATORS } from '../support/mutations.ts';
import { JOBS, judgePairs, outcomeShares } from './judge-pairs.ts';
import type { Result, Run } from './judged-pairs.ts';

/** Another one in each run, so that each run sees other jobs; in the title, so that a failure can be seen again. */
const SEED = Number(process.env['JOBGUARD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const TIMEOUT_MS = 600_000; // about a minute on an idle machine; a busy one takes several times that

describe(`updates made up with JOBGUARD_SEED=${SEED}`, () => {
  test.each<{ readonly title: string; readonly policy: Run['policy']; readonly pairs: number }>([
    { title: 'the default policy', policy: 'default', pairs: 50_000 },
    { title: 'every preset on', policy: 'presets', pairs: 10_000 },
    { title: 'paths and exemptions of its own', policy: 'own', pairs: 10_000 },
  ])(
    '$title: both judges agree, and the answer is safe to show',
    async ({ title, policy, pairs }) => {
      const result = await judgePairs({ policy, pairs, jobs: JOBS[policy], seed: SEED });
      if (result.failure !== undefined) throw new Error(result.failure);
      process.stdout.write(`${title}: ${summary(pairs, result)}\n`);
      expectVariety(pairs, result);
    },
    TIMEOUT_MS,
  );
});

function summary(pairs: number, { milliseconds, seen }: Result): string {
  return `${pairs} pairs, ${Math.round((1000 * pairs) / milliseconds)} a second; ${outcomeShares(pairs, seen)} of mutated jobs`;
}

/** Fails where the mutations have gone stale: too little of an outcome, or a mutation that no longer finds its place. */
function expectVariety(pairs: number, { seen }: Result): void {
  const isRare = (key: string, share: number): boolean => (seen.get(key) ?? 0) < share * pairs;
  const rare = Object.keys(MUTATORS).filter((kind) => isRare(kind, 0.015));
  expect(rare).toEqual([]);
  expect(isRare('allow', 0.1) || isRare('deny', 0.1) || isRare('exempt', 0.001)).toBe(false);
}
