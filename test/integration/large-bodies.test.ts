import { expect, test } from '@jest/globals';

import { completePolicy } from '../../src/policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../src/policy/defaults.ts';
import { createLargeBodyJudge } from '../../src/server/large-bodies.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { reviewText } from '../support/review.ts';

function denied(): Uint8Array<ArrayBuffer> {
  const object = withValue(TF_JOB, '/spec/tfReplicaSpecs/Worker/replicas', 9);
  return new TextEncoder().encode(reviewText({ oldObject: TF_JOB, object }));
}

test('a thread that ends fails the body that it judges, and the next one is judged by a new thread', async () => {
  const judge = createLargeBodyJudge(completePolicy(DEFAULT_POLICY_DOCUMENT));
  const failed = judge.judge(denied());
  await Promise.all([expect(failed).rejects.toThrow('the judging thread ended'), judge.end()]);
  const { verdict } = await judge.judge(denied());
  expect(verdict.decision.outcome).toBe('deny');
  await judge.end();
});
