import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { replayCommand } from '../../src/commands/replay.ts';
import { runCommand } from '../support/run-command.ts';

const SEED = Number(process.env['JOBGUARD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LOGS = 100;

const CONTROLLERS = [
  'system:serviceaccount:kueue-system:kueue-controller-manager',
  'system:serviceaccount:kube-system:horizontal-pod-autoscaler',
  'system:serviceaccount:flyte:flytepropeller',
  'system:serviceaccount:team-a:pruner',
  'system:serviceaccount:team-b:pruner',
  'system:kube-scheduler',
];
const PEOPLE = ['ann', 'bob', 'system:admin'];

/** What an update makes of a job: a few fields of every class, each with a few values. */
const SPEC = fc.record({
  runPolicy: fc.record({
    suspend: fc.boolean(),
    backoffLimit: fc.nat(2),
    cleanPodPolicy: fc.constantFrom('All', 'None'),
  }),
  nprocPerNode: fc.constantFrom('1', '2'),
  elasticPolicy: fc.option(fc.record({ maxReplicas: fc.nat(3) }), { nil: undefined }),
  pytorchReplicaSpecs: fc.record({
    Worker: fc.record({
      replicas: fc.nat(3),
      template: fc.record({
        spec: fc.record({
          containers: fc.constant([{ name: 'pytorch' }]),
          nodeSelector: fc.dictionary(fc.constantFrom('zone', 'a/b', 'a~b'), fc.constantFrom('x', 'y'), { maxKeys: 2 }),
          tolerations: fc.array(fc.record({ key: fc.constantFrom('a', 'b') }), { maxLength: 2 }),
        }),
      }),
    }),
  }),
});

const UPDATE = fc.record({
  username: fc.constantFrom(...CONTROLLERS, ...PEOPLE),
  namespace: fc.constantFrom('team-a', 'team-b'),
  spec: SPEC,
  finalizers: fc.subarray(['a/b', 'c/d']),
});

type Update = typeof UPDATE extends fc.Arbitrary<infer T> ? T : never;

/** Writes updates as an audit log: the first one in each namespace creates its job. */
function auditLog(updates: readonly Update[]): string {
  const created = new Set<string>();
  return updates
    .map(({ username, namespace, spec, finalizers }, index) => {
      const verb = created.has(namespace) ? 'patch' : 'create';
      created.add(namespace);
      const metadata = { name: 'mnist', namespace, uid: namespace, resourceVersion: String(index + 1), finalizers };
      return JSON.stringify({
        kind: 'Event',
        stage: 'ResponseComplete',
        auditID: String(index),
        requestURI: '/',
        verb,
        user: { username, groups: [] },
        objectRef: { resource: 'pytorchjobs', namespace, name: 'mnist', apiGroup: 'kubeflow.org', apiVersion: 'v1' },
        responseStatus: { code: verb === 'create' ? 201 : 200 },
        responseObject: { apiVersion: 'kubeflow.org/v1', kind: 'PyTorchJob', metadata, spec },
        stageTimestamp: new Date(1_000 * index).toISOString(),
      });
    })
    .join('\n');
}

interface Refused {
  readonly user: string;
  readonly denied: number;
}

async function refused(log: string, policy?: string): Promise<Refused[]> {
  const files = { 'audit.log': log, ...(policy === undefined ? {} : { 'policy.yaml': policy }) };
  const args = ['audit.log', '-o', 'json', ...(policy === undefined ? [] : ['--policy', 'policy.yaml'])];
  const { stdout, problems } = await runCommand(replayCommand, args, { files });
  expect(problems).toEqual([]);
  const { writers } = JSON.parse(stdout) as { writers: Refused[] };
  return writers.map(({ user, denied }) => ({ user, denied })).sort((a, b) => (a.user < b.user ? -1 : 1));
}

test(`the policy that replay suggests refuses no controller, and people what it did before, JOBGUARD_SEED=${SEED}`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(UPDATE, { minLength: 2, maxLength: 12 }), async (updates) => {
      const log = auditLog(updates);
      const { stdout } = await runCommand(replayCommand, ['audit.log', '--suggest'], { files: { 'audit.log': log } });
      const people = (await refused(log)).filter(({ user }) => PEOPLE.includes(user));
      expect(await refused(log, stdout)).toEqual(people);
    }),
    { seed: SEED, numRuns: LOGS },
  );
});
