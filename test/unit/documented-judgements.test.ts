import { expect, test } from '@jest/globals';

import { decide, isAllowed } from '../../src/core/decide.ts';
import type { JsonMap, JsonValue } from '../../src/core/json.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { documentedPolicies } from '../support/documented-policies.ts';
import { PYTORCH_JOB, TF_JOB, withValue } from '../support/job.ts';
import { NOW, requestOf, type Review } from '../support/review.ts';

/** What a reader may take a documented policy for: an update that it lets through, and one that it refuses. */
interface Judged {
  readonly example: string;
  readonly passes: Update;
  /** None where a policy refuses nothing at all. */
  readonly refuses?: Update;
}

interface Update extends Review {
  /** When it is judged; NOW where it does not matter. */
  readonly at?: string;
}

/** An update that sets one field. */
const setting = (job: JsonMap, field: string, value: JsonValue, by: Update = {}): Update => ({
  oldObject: job,
  object: withValue(job, field, value),
  ...by,
});

const tfJob = (field: string, value: JsonValue, by?: Update): Update => setting(TF_JOB, field, value, by);
const pyTorchJob = (field: string, value: JsonValue, by?: Update): Update =>
  setting(PYTORCH_JOB, field, value, { resource: 'pytorchjobs', ...by });

/** Jobs of other kinds, as much of them as is changed. */
const other =
  (group: string, resource: string, spec: JsonMap) =>
  (field: string, value: JsonValue, by?: Update): Update =>
    setting({ metadata: { name: 'mnist' }, spec }, field, value, { group, resource, ...by });

const template = { spec: { containers: [{ name: 'main', image: 'train:v1' }] } };
const mpiJob = other('kubeflow.org', 'mpijobs', { mpiReplicaSpecs: { Worker: { replicas: 2, template } } });
const trainJob = other('trainer.kubeflow.org', 'trainjobs', { suspend: true, trainer: { numNodes: 2 } });
const batchJob = other('batch', 'jobs', { parallelism: 2, template });
const jobSet = other('jobset.x-k8s.io', 'jobsets', { replicatedJobs: [{ template: { spec: { template } } }] });
const rayJob = other('ray.io', 'rayjobs', {});
const renderJob = other('example.com', 'renderjobs', { template });
const scaled = (before: number, after: number, by: Update): Update => ({
  resource: 'pytorchjobs',
  subResource: 'scale',
  oldObject: { spec: { replicas: before } },
  object: { spec: { replicas: after } },
  ...by,
});

const TF_WORKERS = '/spec/tfReplicaSpecs/Worker/replicas';
const TF_IMAGE = '/spec/tfReplicaSpecs/Worker/template/spec/containers/0/image';
const TF_PLACEMENT = '/spec/tfReplicaSpecs/Worker/template/spec/nodeSelector/zone';
const PYTORCH_WORKERS = '/spec/pytorchReplicaSpecs/Worker/replicas';
const SUSPEND = '/spec/runPolicy/suspend';
const FINALIZERS = '/metadata/finalizers';

const serviceAccount = (namespace: string, name: string): Update => ({
  username: `system:serviceaccount:${namespace}:${name}`,
});
const KUEUE = serviceAccount('kueue-system', 'kueue-controller-manager');
const ADMIN: Update = { groups: ['platform:admins'] };

const JUDGED: readonly Judged[] = [
  {
    example: 'policy.md: Guard TFJobs and PyTorchJobs',
    passes: tfJob('/spec/runPolicy/activeDeadlineSeconds', 7200),
    refuses: pyTorchJob(PYTORCH_WORKERS, 4),
  },
  {
    example: 'policy.md: Guard other kinds',
    passes: mpiJob('/spec/runPolicy', { ttlSecondsAfterFinished: 60 }),
    refuses: mpiJob('/spec/mpiReplicaSpecs/Worker/template/spec/containers/0/image', 'train:v2'),
  },
  {
    example: 'policy.md: TrainJob',
    passes: trainJob('/spec/ttlSecondsAfterFinished', 60),
    refuses: trainJob('/spec/trainer/numNodes', 4),
  },
  { example: 'policy.md: Job', passes: batchJob('/spec/suspend', true), refuses: batchJob('/spec/parallelism', 3) },
  {
    example: 'policy.md: JobSet',
    passes: jobSet('/spec/suspend', true),
    refuses: jobSet('/spec/replicatedJobs/0/template/spec/template/spec/containers/0/image', 'train:v2'),
  },
  {
    example: 'policy.md: RayJob',
    passes: rayJob(FINALIZERS, ['ray.io/rayjob-finalizer'], serviceAccount('kuberay-system', 'kuberay-operator')),
    refuses: rayJob(FINALIZERS, ['ray.io/rayjob-finalizer']),
  },
  {
    example: 'policy.md: A kind that jobguard does not know',
    passes: renderJob('/spec/priority', 1),
    refuses: scaled(1, 2, { group: 'example.com', resource: 'renderjobs' }),
  },
  {
    example: 'policy.md: Let everybody change more',
    passes: tfJob('/spec/tfReplicaSpecs/Worker/template/metadata/annotations', { note: 'a' }),
    refuses: tfJob('/spec/runPolicy/cleanPodPolicy', 'All'),
  },
  {
    example: 'policy.md: Let everybody change more (2)',
    passes: tfJob(TF_WORKERS, 4),
    refuses: pyTorchJob(PYTORCH_WORKERS, 4),
  },
  {
    example: 'policy.md: Let people pause and resume jobs',
    passes: tfJob(SUSPEND, true),
    refuses: tfJob('/spec/runPolicy/backoffLimit', 4),
  },
  {
    example: 'policy.md: Let people pause and resume jobs (2)',
    passes: pyTorchJob('/spec/runPolicy', { suspend: false, backoffLimit: 4 }),
    refuses: tfJob('/spec/runPolicy/backoffLimit', 4),
  },
  {
    example: 'policy.md: Let a controller do its work',
    passes: tfJob(FINALIZERS, ['flyte.org/finalizer-k8s'], serviceAccount('ml-platform', 'flytepropeller')),
    refuses: tfJob(FINALIZERS, ['flyte.org/finalizer-k8s'], serviceAccount('flyte', 'flytepropeller')),
  },
  {
    example: 'policy.md: Let some people or programs change more',
    passes: tfJob(TF_PLACEMENT, 'b', { namespace: 'team-a', ...serviceAccount('team-a', 'scheduler') }),
    refuses: tfJob(TF_PLACEMENT, 'b', { namespace: 'team-b', ...serviceAccount('team-a', 'scheduler') }),
  },
  {
    example: 'policy.md: For a week',
    passes: tfJob(TF_PLACEMENT, 'b', { ...ADMIN, at: '2027-01-30T23:59:59Z' }),
    refuses: tfJob(TF_PLACEMENT, 'b', { ...ADMIN, at: '2027-01-31T00:00:00Z' }),
  },
  {
    example: 'policy.md: For service accounts of several namespaces',
    passes: tfJob(TF_PLACEMENT, 'b', { namespace: 'team-b', ...serviceAccount('team-c', 'scheduler') }),
    refuses: tfJob(TF_PLACEMENT, 'b', { namespace: 'prod', ...serviceAccount('team-c', 'scheduler') }),
  },
  {
    example: 'policy.md: For nearly everything',
    passes: tfJob(TF_IMAGE, 'train:v2', serviceAccount('platform', 'job-migrator')),
    refuses: tfJob(FINALIZERS, ['a'], serviceAccount('platform', 'job-migrator')),
  },
  {
    example: 'policy.md: Try it without refusing anything',
    passes: tfJob(TF_WORKERS, 4, { namespace: 'sandbox-1' }),
    refuses: tfJob(TF_WORKERS, 4, { namespace: 'research' }),
  },
  {
    example: 'policy.md: Say whom to ask',
    passes: tfJob('/metadata/labels/team', 'nlp'),
    refuses: tfJob(TF_WORKERS, 4),
  },
  {
    example: 'policy.md: When a name is refused',
    passes: tfJob('/spec/runPolicy/preemptible', true),
    refuses: tfJob('/spec/runPolicy/cleanPodPolicy', 'All'),
  },
  {
    example: 'recipes.md: With Kueue',
    passes: pyTorchJob(SUSPEND, false, KUEUE),
    refuses: pyTorchJob(SUSPEND, false),
  },
  {
    example: 'recipes.md: With Kueue (2)',
    passes: pyTorchJob(SUSPEND, false, serviceAccount('openshift-kueue-operator', 'kueue-controller-manager')),
    refuses: pyTorchJob(SUSPEND, false, KUEUE),
  },
  {
    example: 'recipes.md: TrainJobs with Kueue',
    passes: trainJob('/spec/runtimePatches', [{ manager: 'kueue.x-k8s.io/manager' }], KUEUE),
    refuses: trainJob('/spec/runtimePatches', [{ manager: 'jane' }]),
  },
  {
    example: 'recipes.md: Flyte',
    passes: tfJob(FINALIZERS, ['flyte.org/finalizer-k8s'], serviceAccount('flyte', 'flytepropeller')),
    refuses: tfJob(FINALIZERS, ['flyte.org/finalizer-k8s']),
  },
  {
    example: 'recipes.md: Elastic PyTorch with the horizontal pod autoscaler',
    passes: scaled(2, 3, serviceAccount('kube-system', 'horizontal-pod-autoscaler')),
    refuses: scaled(2, 3, {}),
  },
  {
    example: 'recipes.md: GitOps tools',
    passes: tfJob('/metadata/labels/team', 'nlp', { fieldManager: 'argocd-controller' }),
    refuses: tfJob(TF_IMAGE, 'train:v2', { fieldManager: 'argocd-controller' }),
  },
  {
    example: 'recipes.md: Let people pause one kind of job',
    passes: pyTorchJob(PYTORCH_WORKERS, 4),
    refuses: tfJob(SUSPEND, true),
  },
  {
    example: 'recipes.md: One exception for a week',
    passes: pyTorchJob(PYTORCH_WORKERS, 4, { namespace: 'nlp', groups: ['team:nlp'], at: '2026-12-07T17:59:59Z' }),
    refuses: pyTorchJob(PYTORCH_WORKERS, 4, { namespace: 'nlp', groups: ['team:nlp'], at: '2026-12-07T18:00:00Z' }),
  },
  {
    example: 'recipes.md: Platform administrators',
    passes: tfJob(TF_IMAGE, 'train:v2', ADMIN),
    refuses: tfJob(TF_IMAGE, 'train:v2'),
  },
  {
    example: 'rollout.md: 2. Let the controllers do their work',
    passes: pyTorchJob(SUSPEND, false, KUEUE),
    refuses: pyTorchJob(SUSPEND, false),
  },
  {
    example: 'rollout.md: 3. Install in mode `audit`',
    passes: tfJob(TF_WORKERS, 4),
  },
  {
    example: 'rollout.md: 4. Warn, and enforce where you are sure',
    passes: tfJob(TF_WORKERS, 4),
    refuses: tfJob(TF_WORKERS, 4, { namespace: 'prod-eu' }),
  },
];

const DOCUMENTED = new Map(
  ['policy.md', 'recipes.md', 'rollout.md'].flatMap(documentedPolicies).map(({ example, text }) => [example, text]),
);

function passes(example: string, { at, ...review }: Update): boolean {
  const policy = loadPolicy(DOCUMENTED.get(example) ?? '');
  return isAllowed(decide(policy, requestOf(review), at === undefined ? NOW : new Date(at)));
}

test('each policy that the pages show is judged by', () => {
  expect(JUDGED.map(({ example }) => example)).toEqual([...DOCUMENTED.keys()]);
});

test.each(JUDGED)('$example: one update passes', ({ example, passes: update }) => {
  expect(passes(example, update)).toBe(true);
});

test.each(JUDGED.flatMap(({ example, refuses }) => (refuses === undefined ? [] : [{ example, refuses }])))(
  '$example: another is refused',
  ({ example, refuses }) => {
    expect(passes(example, refuses)).toBe(false);
  },
);

test('only mode audit refuses nothing', () => {
  const harmless = JUDGED.filter(({ refuses }) => refuses === undefined).map(({ example }) => DOCUMENTED.get(example));
  expect(harmless).toEqual(['apiVersion: jobguard/v1\nkind: UpdatePolicy\nmode: audit\n']);
});
