import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type Answer, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { at } from '../../tools/json-at.ts';
import { eventually } from '../../tools/eventually.ts';
import type { JobguardProcess } from '../../tools/jobguard-process.ts';
import { startLocalRelease } from '../../tools/local-release.ts';
import { CONTROL_PLANE_TIMEOUT_MS, describeChart } from './layer.ts';

const JOBS = '/apis/kubeflow.org/v1/namespaces/default/pytorchjobs';

const REPLICAS = {
  pytorchReplicaSpecs: {
    Worker: {
      replicas: 2,
      restartPolicy: 'Never',
      template: { spec: { containers: [{ name: 'pytorch', image: 'train:v1' }] } },
    },
  },
};

/** A job in which everything is set that the rows change or remove. */
const JOB = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'PyTorchJob',
  metadata: {
    name: 'bert',
    namespace: 'default',
    labels: { team: 'a', stage: 'trial' },
    annotations: { note: 'first' },
    finalizers: ['example.com/keep'],
  },
  spec: {
    runPolicy: { activeDeadlineSeconds: 3600, backoffLimit: 3 },
    ...REPLICAS,
  },
};

const workers = (replicas: number): object => ({ spec: { pytorchReplicaSpecs: { Worker: { replicas } } } });
const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff' };
const MANY_ANNOTATIONS = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`note-${i}`, 'x'.repeat(200)]));

interface Row {
  readonly what: string;
  readonly patch: object;
}

const runPolicy = (fields: object): object => ({ spec: { runPolicy: fields } });

const NOT_CALLED: Row[] = [
  { what: 'a label set', patch: { metadata: { labels: { new: 'x' } } } },
  { what: 'a label changed', patch: { metadata: { labels: { team: 'b' } } } },
  { what: 'a label removed', patch: { metadata: { labels: { team: null } } } },
  { what: 'all labels removed', patch: { metadata: { labels: null } } },
  { what: 'an annotation set', patch: { metadata: { annotations: { new: 'x' } } } },
  { what: 'an annotation changed', patch: { metadata: { annotations: { note: 'second' } } } },
  { what: 'all annotations removed', patch: { metadata: { annotations: null } } },
  { what: 'a thousand annotations', patch: { metadata: { annotations: MANY_ANNOTATIONS } } },
  { what: 'activeDeadlineSeconds changed', patch: runPolicy({ activeDeadlineSeconds: 60 }) },
  { what: 'activeDeadlineSeconds removed', patch: runPolicy({ activeDeadlineSeconds: null }) },
  { what: 'ttlSecondsAfterFinished set', patch: runPolicy({ ttlSecondsAfterFinished: 0 }) },
  { what: 'cleanPodPolicy set', patch: runPolicy({ cleanPodPolicy: 'All' }) },
  {
    what: 'all of these together',
    patch: {
      metadata: { labels: { new: 'x' }, annotations: { note: 'second' } },
      ...runPolicy({ activeDeadlineSeconds: 60, ttlSecondsAfterFinished: 60, cleanPodPolicy: 'Running' }),
    },
  },
  { what: 'nothing', patch: {} },
];

const CALLED: Row[] = [
  { what: 'replicas', patch: workers(3) },
  { what: 'a protected field of runPolicy', patch: runPolicy({ backoffLimit: 4 }) },
  { what: 'a negative deadline, for its warning', patch: runPolicy({ activeDeadlineSeconds: -1 }) },
  { what: 'a cleanPodPolicy that the operator misreads', patch: runPolicy({ cleanPodPolicy: 'Sometimes' }) },
  { what: 'runPolicy removed', patch: { spec: { runPolicy: null } } },
  { what: 'a forbidden field beside a label', patch: { metadata: { labels: { new: 'x' } }, ...workers(3) } },
  { what: 'a finalizer set', patch: { metadata: { finalizers: ['example.com/keep', 'example.com/more'] } } },
  { what: 'the finalizers removed', patch: { metadata: { finalizers: null } } },
  { what: 'an owner', patch: { metadata: { ownerReferences: [OWNER] } } },
  { what: 'spec removed', patch: { spec: null } },
  {
    what: 'a field at its zero value, which CEL tells from none',
    patch: { spec: { pytorchReplicaSpecs: { Worker: { template: { spec: { hostNetwork: false } } } } } },
  },
];

const UNREACHABLE = 'failed calling webhook "jobs.jobguard.dev"';

describeChart('the condition under which the webhook is called', () => {
  let cluster: ControlPlane;

  beforeAll(async () => {
    cluster = await startControlPlane('training-operator 1.9');
    await withEveryReplicaDown(cluster);
  }, CONTROL_PLANE_TIMEOUT_MS);
  afterAll(() => cluster.stop(), CONTROL_PLANE_TIMEOUT_MS);

  const dryRun = (patch: object, path?: string): Promise<Answer> => dryRunOf(cluster, patch, path);

  test.each(NOT_CALLED)('$what: not called, passes', async ({ patch }) => {
    const answer = await dryRun(patch);
    expect([answer.status, at(answer.json, 'kind')]).toEqual([200, 'PyTorchJob']);
  });

  test.each(CALLED)('$what: called', async ({ patch }) => {
    const answer = await dryRun(patch);
    expect([answer.status, at(answer.json, 'message')]).toEqual([500, expect.stringContaining(UNREACHABLE)]);
  });

  test.each([{ replicas: 3 }, { replicas: 2 }])('/scale to $replicas of 2: called', async ({ replicas }) => {
    const answer = await dryRun({ spec: { replicas } }, `${JOBS}/bert/scale`);
    expect([answer.status, at(answer.json, 'message')]).toEqual([500, expect.stringContaining(UNREACHABLE)]);
  });

  test('the first runPolicy, to which the API server adds suspend: not called', async () => {
    await cluster.request('POST', JOBS, {
      body: { ...JOB, metadata: { name: 'plain', namespace: 'default' }, spec: REPLICAS },
    });
    const first = await dryRun(runPolicy({ ttlSecondsAfterFinished: 60 }), `${JOBS}/plain`);
    const more = await dryRun(runPolicy({ ttlSecondsAfterFinished: 60, backoffLimit: 3 }), `${JOBS}/plain`);
    expect([first.status, more.status]).toEqual([200, 500]);
  });

  test.each([
    { as: 'system:serviceaccount:kube-system:generic-garbage-collector', status: 200 },
    { as: 'jane', status: 500 },
  ])('finalizers that $as removes: $status', async ({ as, status }) => {
    const body = { metadata: { finalizers: null } };
    const contentType = 'application/merge-patch+json';
    const answer = await cluster.request('PATCH', `${JOBS}/bert?dryRun=All`, { contentType, body, as });
    expect(answer.status).toBe(status);
  });

  test('creation, status and deletion: not called', async () => {
    const other = { ...JOB, metadata: { name: 'other', namespace: 'default' } };
    const created = await cluster.request('POST', JOBS, { body: other });
    const reported = await cluster.request('PATCH', `${JOBS}/other/status`, {
      contentType: 'application/merge-patch+json',
      body: { status: { startTime: '2026-01-01T00:00:00Z' } },
    });
    const deleted = await cluster.request('DELETE', `${JOBS}/other`);
    expect([created.status, reported.status, deleted.status]).toEqual([201, 200, 200]);
  });

  test('a terminating job: its labels and its finalizers pass, its spec calls', async () => {
    const doomed = { ...JOB, metadata: { name: 'doomed', namespace: 'default', finalizers: ['example.com/keep'] } };
    await cluster.request('POST', JOBS, { body: doomed });
    await cluster.request('DELETE', `${JOBS}/doomed`);
    const labelled = await dryRun({ metadata: { labels: { a: 'b' } } }, `${JOBS}/doomed`);
    const scaled = await dryRun(workers(3), `${JOBS}/doomed`);
    const released = await dryRun({ metadata: { finalizers: null } }, `${JOBS}/doomed`);
    expect([labelled.status, scaled.status, released.status]).toEqual([200, 500, 200]);
  });

  test('/scale of a resource for which the policy gives no scaleReplicasPath: refused', async () => {
    const resources = ['tfjobs', 'pytorchjobs'].map((resource) => ({
      group: 'kubeflow.org',
      resource,
      scaleReplicasPath: null,
    }));
    await using own = await startLocalRelease(cluster, { values: { policy: { resources } } });
    const answer = await dryRun({ spec: { replicas: 3 } }, `${JOBS}/bert/scale`);
    expect([answer.status, at(answer.json, 'reason')]).toEqual([403, 'Forbidden']);
    await logged(own.jobguard, '"subresource":"scale"');
  });

  test('where the policy does not allow labels, a label calls, and is refused', async () => {
    await using own = await startLocalRelease(cluster, { values: { policy: { allow: ['/metadata/annotations'] } } });
    const labelled = await dryRun({ metadata: { labels: { team: 'b' } } });
    const annotated = await dryRun({ metadata: { annotations: { note: 'second' } } });
    await logged(own.jobguard, '"/metadata/labels/team"');
    expect([labelled.status, at(labelled.json, 'message'), annotated.status]).toEqual([
      403,
      expect.stringContaining('metadata.labels[team] (changed)'),
      200,
    ]);
  });
});

describeChart('the same, where the API keeps unknown fields', () => {
  let cluster: ControlPlane;

  beforeAll(async () => {
    cluster = await startControlPlane('first generation');
    await withEveryReplicaDown(cluster);
  }, CONTROL_PLANE_TIMEOUT_MS);
  afterAll(() => cluster.stop(), CONTROL_PLANE_TIMEOUT_MS);

  test.each([
    ['a label: not called', { metadata: { labels: { new: 'x' } } }, 200],
    ['an unknown key at the top: called', { somewhere: { over: 'the rainbow' } }, 500],
    ['an unknown key at the top with a plain value: called', { somewhere: 1 }, 500],
    ['an unknown key below spec: called', { spec: { constructor: 1 } }, 500],
    ['an allowed field where it was kept until 2020: not called', { spec: { ttlSecondsAfterFinished: 60 } }, 200],
    ['text where a map is expected: called', { spec: { runPolicy: 'none' } }, 500],
  ])('%s', async (_what, patch, status) => {
    expect((await dryRunOf(cluster, patch)).status).toBe(status);
  });
});

/** Registers the webhook as the chart does, creates the job, and takes the webhook's process away. */
async function withEveryReplicaDown(cluster: ControlPlane): Promise<void> {
  const release = await startLocalRelease(cluster);
  const created = await cluster.request('POST', JOBS, { body: JOB });
  expect(created.status).toBe(201);
  await release[Symbol.asyncDispose]();
}

function dryRunOf(cluster: ControlPlane, patch: object, path = `${JOBS}/bert`): Promise<Answer> {
  return cluster.request('PATCH', `${path}?dryRun=All`, { contentType: 'application/merge-patch+json', body: patch });
}

/** Waits for a line in the log, which may come a moment after the answer. */
async function logged(jobguard: JobguardProcess, text: string): Promise<void> {
  await eventually(`${text} in the log`, () => Promise.resolve(jobguard.stderr().includes(text) || undefined));
}
