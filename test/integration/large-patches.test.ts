import { expect, jest, test } from '@jest/globals';
import { Agent } from 'node:https';

import { at } from '../../tools/json-at.ts';
import { UNJUDGEABLE } from '../support/denial-wording.ts';
import { call } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { reviewText } from '../support/review.ts';
import { startShipped } from './shipped-program.ts';

jest.setTimeout(120_000);

/** The chart's. */
const TIMEOUT = '5s';

/**
 * What the owner of a job can send without a pod of his own: patches through the API server, one client for all its users.
 * An answer that is none lets a patch through where the failurePolicy is Ignore.
 */
test.each([
  { what: 'of 1.4 MB with a number of 16 digits', note: 'n'.repeat(1_400_000), patches: 12 },
  { what: 'of 1.4 MB, all of it escaped', note: String.raw`\u003c`.repeat(1_400_000 / 6), patches: 12 },
])('every one of $patches patches at once of a job $what is denied in time', async ({ note, patches }) => {
  await using program = await startShipped();
  const oldObject = withValue(withValue(TF_JOB, '/metadata/annotations/note', 'NOTE'), '/metadata/generation', 1);
  const object = withValue(oldObject, '/spec/tfReplicaSpecs/Worker/replicas', 9);
  const body = reviewText({ oldObject, object })
    .replaceAll('NOTE', note)
    .replaceAll('"ttlSecondsAfterFinished":600', '"ttlSecondsAfterFinished":1234567890123456');
  const agent = new Agent({ keepAlive: true });
  const patch = async (): Promise<unknown> => {
    const { status, text } = await call(program.endpoint, { agent, path: `/validate?timeout=${TIMEOUT}`, body });
    return status === 200 ? { status, allowed: at(JSON.parse(text), 'response', 'allowed') } : { status };
  };
  const answers = await Promise.all(Array.from({ length: patches }, patch));
  agent.destroy();
  expect(answers).toEqual(answers.map(() => ({ status: 200, allowed: false })));
});

test('a job with more long numbers than are looked at is refused, and not left to the failurePolicy', async () => {
  await using program = await startShipped();
  const groups = '/spec/tfReplicaSpecs/Worker/template/spec/securityContext';
  const oldObject = withValue(TF_JOB, groups, { supplementalGroups: Array(12_000).fill(1_234_567_890_123_456) });
  const object = withValue(oldObject, '/spec/tfReplicaSpecs/Worker/replicas', 9);
  const { status, text } = await call(program.endpoint, { body: reviewText({ oldObject, object }) });
  const response = at(JSON.parse(text), 'response');
  expect({ status, allowed: at(response, 'allowed'), code: at(response, 'status', 'code') }).toEqual({
    status: 200,
    allowed: false,
    code: 403,
  });
  expect(at(response, 'status', 'message')).toContain(UNJUDGEABLE.tooManyValues);
});
