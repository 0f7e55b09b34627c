import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type Answer, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { startLocalRelease } from '../../tools/local-release.ts';
import { CONTROL_PLANE_TIMEOUT_MS, describeChart } from './layer.ts';

const JOBS = '/apis/kubeflow.org/v1/namespaces/default/pytorchjobs';

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
    pytorchReplicaSpecs: {
      Worker: {
        replicas: 2,
        restartPolicy: 'Never',
        template: { spec: { containers: [{ name: 'pytorch', image: 'train:v1' }] } },
      },
    },
  },
};

const workers = (replicas: number): object => ({ spec: { pytorchReplicaSpecs: { Worker: { replicas } } } });
const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff' };
const MANY_ANNOTATIONS = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`note-${i}`, 'x'.repeat(200)]));

const NOT_CALLED: [what: string, patch: object][] = [
  ['a label set', { metadata: { labels: { new: 'x' } } }],
  ['a label changed', { metadata: { labels: { team: 'b' } } }],
  ['a label removed', { metadata: { labels: { team: null } } }],
  ['all labels removed', { metadata: { labels: null } }],
  ['an annotation set', { metadata: { annotations: { new: 'x' } } }],
  ['an annotation changed', { metadata: { annotations: { note: 'second' } } }],
  ['all annotations removed', { metadata: { annotations: null } }],
  ['a thousand annotations', { metadata: { annotations: MANY_ANNOTATIONS } }],
  ['nothing', {}],
];

const CALLED: [what: string, patch: object][] = [
  ['replicas', workers(3)],
  ['an allowed field below spec, for its warning', { spec: { runPolicy: { activeDeadlineSeconds: 60 } } }],
  ['an allowed field removed', { spec: { runPolicy: { activeDeadlineSeconds: null } } }],
  ['a forbidden field beside a label', { metadata: { labels: { new: 'x' } }, ...workers(3) }],
  ['a finalizer set', { metadata: { finalizers: ['example.com/keep', 'example.com/more'] } }],
  ['the finalizers removed', { metadata: { finalizers: null } }],
  ['an owner', { metadata: { ownerReferences: [OWNER] } }],
  ['spec removed', { spec: null }],
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

  test.each(NOT_CALLED)('%s: not called, passes', async (_what, patch) => {
    const answer = await dryRun(patch);
    expect([answer.status, at(answer.json, 'kind')]).toEqual([200, 'PyTorchJob']);
  });

  test.each(CALLED)('%s: called', async (_what, patch) => {
    const answer = await dryRun(patch);
    expect([answer.status, at(answer.json, 'message')]).toEqual([500, expect.stringContaining(UNREACHABLE)]);
  });

  test('/scale to another number: called', async () => {
    const answer = await dryRun({ spec: { replicas: 3 } }, `${JOBS}/bert/scale`);
    expect([answer.status, at(answer.json, 'message')]).toEqual([500, expect.stringContaining(UNREACHABLE)]);
  });

  test('/scale to the same number: not called', async () => {
    const answer = await dryRun({ spec: { replicas: 2 } }, `${JOBS}/bert/scale`);
    expect([answer.status, at(answer.json, 'spec', 'replicas')]).toEqual([200, 2]);
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

  test('a terminating job: its labels pass, its finalizers call', async () => {
    const doomed = { ...JOB, metadata: { name: 'doomed', namespace: 'default', finalizers: ['example.com/keep'] } };
    await cluster.request('POST', JOBS, { body: doomed });
    await cluster.request('DELETE', `${JOBS}/doomed`);
    const labelled = await dryRun({ metadata: { labels: { a: 'b' } } }, `${JOBS}/doomed`);
    const released = await dryRun({ metadata: { finalizers: null } }, `${JOBS}/doomed`);
    expect([labelled.status, released.status]).toEqual([200, 500]);
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
    await eventually('the decision to be logged', () =>
      Promise.resolve(own.jobguard.stderr().includes('"subresource":"scale"') || undefined),
    );
  });

  test('where the policy does not allow labels there is none: a label calls, and is refused', async () => {
    await using own = await startLocalRelease(cluster, { values: { policy: { allow: ['/metadata/annotations'] } } });
    const [webhook] = own.objects.filter(({ kind }) => kind === 'ValidatingWebhookConfiguration');
    expect(at(webhook, 'webhooks', 0, 'matchConditions')).toBeUndefined();
    const labelled = await dryRun({ metadata: { labels: { team: 'b' } } });
    const annotated = await dryRun({ metadata: { annotations: { note: 'second' } } });
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
