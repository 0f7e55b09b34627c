import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Worker } from 'node:worker_threads';

import type { ExemptionDocument, PolicyDocument } from '../../src/policy/document.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import type { Workload } from './measuring-worker.ts';
import { policyWith, verdictOn, type Review } from '../support/review.ts';

// The bounds are on the fastest of many short rounds; the others are a busy machine's own affair.
jest.setTimeout(120_000);

const EXEMPTIONS = 1_000;

const RUNNER = 'system:serviceaccount:team-x:runner';
const CHANGED = ['/spec/tfReplicaSpecs/Worker/replicas', '/spec/runPolicy/suspend', '/spec/tfReplicaSpecs/Chief'];
const DENIED: Review = {
  oldObject: TF_JOB,
  object: CHANGED.reduce((job, path) => withValue(job, path, { changed: true }), TF_JOB),
  namespace: 'team-x',
  username: RUNNER,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:team-x', 'system:authenticated', 'oidc:ml', 'oidc:staff'],
};

type Identity = Omit<ExemptionDocument, 'name' | 'paths'>;

/** A policy with many exemptions, whose paths are some of those that the update changes, and others. */
function exempting(identityOf: (index: number) => Identity): Partial<PolicyDocument> {
  const paths = ['/spec/runPolicy/suspend', '/spec/tfReplicaSpecs/*/template/spec/nodeSelector'];
  const exemptions = Array.from({ length: EXEMPTIONS }, (_, index) => ({
    name: `exemption-${index}`,
    ...identityOf(index),
    paths: [...paths, `/spec/tfReplicaSpecs/*/template/spec/x${index}`],
  }));
  return { exemptions };
}

// The sandbox that tests run in makes many things slow that are not.
let worker: Worker;
beforeAll(() => {
  worker = new Worker(new URL('./measuring-worker.ts', import.meta.url));
});
afterAll(() => worker.terminate());

/** Returns how much more time judging takes by the second workload, as a multiple of what it takes by the first. */
function extraCost(...workloads: [Workload, Workload]): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners().once('error', reject);
    worker.once('message', ([first = 0, second = Infinity]: number[]) => {
      resolve((second - first) / first);
    });
    worker.postMessage(workloads);
  });
}

test.each<[string, (index: number) => Identity]>([
  ['exact names', (index) => ({ usernames: [`user-${index}`], groups: [`group-${index}`] })],
  [
    'globs that end with a star',
    (index) => ({
      usernames: [`system:serviceaccount:team-${index}:*`],
      groups: [`system:serviceaccounts:team-${index}-*`],
      namespaces: [`team-${index}-*`],
    }),
  ],
  [
    'globs that begin with a star',
    (index) => ({ usernames: [`*:runner-${index}`], groups: [`*:group-${index}`], namespaces: [`*-${index}`] }),
  ],
  [
    'globs with a star inside',
    (index) => ({ usernames: [`system:*:runner-${index}`], groups: [`oidc:*:group-${index}`] }),
  ],
  ['this writer, in another namespace each', (index) => ({ usernames: [RUNNER], namespaces: [`team-${index}-*`] })],
  ['this writer, each of them', () => ({ usernames: ['system:*'] })],
])('a thousand exemptions cost less than four times the judging of a denied update: %s', async (_title, identityOf) => {
  const policy = exempting(identityOf);
  expect(verdictOn(DENIED, policyWith(policy))[0]).toBe('deny');
  const cost = await extraCost(
    { policy: {}, review: DENIED, namespaces: 1 },
    { policy, review: DENIED, namespaces: 1 },
  );
  expect(cost).toBeLessThan(4);
});

test('judging does not cost more where there are many namespaces and jobs', async () => {
  const policy: Partial<PolicyDocument> = { namespaceModes: [{ namespaces: ['sandbox-*', 'play'], mode: 'warn' }] };
  const cost = await extraCost(
    { policy, review: DENIED, namespaces: 1 },
    { policy, review: DENIED, namespaces: 20_000 },
  );
  expect(cost).toBeLessThan(1);
});
