import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
import { at } from '../../tools/json-at.ts';
import { HINTS, WAY_OUT } from '../support/denial-wording.ts';
import { startGuardedCluster, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, PYTORCH_JOB, TF_JOB, workers, type JobKind } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

const KINDS = [TF_JOB, PYTORCH_JOB];
const RUN_POLICY = { cleanPodPolicy: 'All' };

describeWithControlPlane('every way to update a job', () => {
  let cluster: GuardedCluster;
  let jobs = 0;

  beforeAll(async () => {
    cluster = await startGuardedCluster('training-operator 1.9');
  });
  afterAll(() => cluster.stop());

  /** A name and a path of a job that is there. */
  const newJob = async (of: JobKind): Promise<{ name: string; path: string }> => {
    jobs += 1;
    const name = `job-${jobs}`;
    return { name, path: await create(cluster, of, jobNamed(name, of)) };
  };

  const jsonPatch = (path: string, body: unknown): Promise<Answer> =>
    cluster.request('PATCH', path, { contentType: 'application/json-patch+json', body });

  const apply = (of: JobKind, name: string, path: string, body: object): Promise<Answer> =>
    cluster.request('PATCH', `${path}?fieldManager=test&force=true`, {
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'kubeflow.org/v1', kind: of.kind, metadata: { name }, ...body },
    });

  /** Puts the job with a label and a clean-up policy, and with what `change` makes of its JSON. */
  const put = async (of: JobKind, name: string, path: string, change: (job: string) => string): Promise<Answer> => {
    const current = await cluster.request('GET', path);
    const labelled = jobNamed(name, of, {
      metadata: { resourceVersion: at(current.json, 'metadata', 'resourceVersion'), labels: { team: 'a' } },
      spec: { runPolicy: RUN_POLICY },
    });
    return cluster.request('PUT', path, { body: change(JSON.stringify(labelled)) });
  };

  describe.each(KINDS)('$kind', (of) => {
    test('JSON patch: a label and the clean-up policy may change', async () => {
      const { path } = await newJob(of);
      const answer = await jsonPatch(path, [
        { op: 'add', path: '/metadata/labels', value: { team: 'a' } },
        { op: 'add', path: '/spec/runPolicy', value: RUN_POLICY },
      ]);
      expect(stored(answer)).toEqual({ status: 200, labels: { team: 'a' }, cleanPodPolicy: 'All' });
    });

    test('JSON patch: the image may not change, a replica type not go', async () => {
      const { path } = await newJob(of);
      const worker = `/spec/${of.replicaSpecs}/Worker`;
      const answer = await jsonPatch(path, [
        { op: 'replace', path: `${worker}/template/spec/containers/0/image`, value: 'train:v2' },
        { op: 'remove', path: `/spec/${of.replicaSpecs}/${of.firstReplica}` },
      ]);
      expect(refused(answer)).toEqual({
        status: 403,
        fields: [
          `spec.${of.replicaSpecs}[${of.firstReplica}]`,
          `spec.${of.replicaSpecs}[Worker].template.spec.containers[0].image`,
        ],
      });
    });

    test('merge patch: a label and the clean-up policy may change', async () => {
      const { path } = await newJob(of);
      const answer = await mergePatch(cluster, path, {
        metadata: { labels: { team: 'a' } },
        spec: { runPolicy: RUN_POLICY },
      });
      expect(stored(answer)).toEqual({ status: 200, labels: { team: 'a' }, cleanPodPolicy: 'All' });
    });

    test('merge patch: the spec may not go', async () => {
      const { path } = await newJob(of);
      const answer = await mergePatch(cluster, path, { spec: null });
      expect(refused(answer)).toEqual({ status: 403, fields: [`spec.${of.replicaSpecs}`] });
    });

    test('merge patch: only what is forbidden is named beside what is allowed', async () => {
      const { path } = await newJob(of);
      const answer = await mergePatch(cluster, path, {
        metadata: { labels: { team: 'a' } },
        spec: { runPolicy: { ...RUN_POLICY, suspend: true }, [of.replicaSpecs]: { Worker: { replicas: 4 } } },
      });
      expect(refused(answer)).toEqual({
        status: 403,
        fields: [`spec.${of.replicaSpecs}[Worker].replicas`, 'spec.runPolicy.suspend'].toSorted(),
      });
    });

    test('server-side apply: a label and the clean-up policy may change', async () => {
      const { name, path } = await newJob(of);
      const answer = await apply(of, name, path, {
        metadata: { name, labels: { team: 'a' } },
        spec: { runPolicy: RUN_POLICY },
      });
      expect(stored(answer)).toEqual({ status: 200, labels: { team: 'a' }, cleanPodPolicy: 'All' });
    });

    test('server-side apply: the replicas may not change', async () => {
      const { name, path } = await newJob(of);
      const answer = await apply(of, name, path, workers(of, 4));
      expect(refused(answer)).toEqual({ status: 403, fields: [`spec.${of.replicaSpecs}[Worker].replicas`] });
    });

    test('server-side apply: taking over fields as they are is no change', async () => {
      const { name, path } = await newJob(of);
      const answer = await apply(of, name, path, workers(of, 2));
      expect(answer.status).toBe(200);
    });

    test('PUT: a label and the clean-up policy may change', async () => {
      const { name, path } = await newJob(of);
      const answer = await put(of, name, path, (job) => job);
      expect(stored(answer)).toEqual({ status: 200, labels: { team: 'a' }, cleanPodPolicy: 'All' });
    });

    test('PUT: the image may not change', async () => {
      const { name, path } = await newJob(of);
      const answer = await put(of, name, path, (job) => job.replaceAll('train:v1', 'train:v2'));
      const image = 'template.spec.containers[0].image';
      expect(refused(answer)).toEqual({
        status: 403,
        fields: [of.firstReplica, 'Worker'].map((type) => `spec.${of.replicaSpecs}[${type}].${image}`),
      });
    });

    test('PUT: the same object again is no change', async () => {
      const { path } = await newJob(of);
      const before = await cluster.request('GET', path);
      const answer = await cluster.request('PUT', path, { body: before.text });
      expect([answer.status, answer.json]).toEqual([200, before.json]);
    });

    test('PUT and PATCH of /status: the operator reports what it likes', async () => {
      const { name, path } = await newJob(of);
      const resourceVersion = at((await cluster.request('GET', path)).json, 'metadata', 'resourceVersion');
      const conditions = [{ type: 'Created', status: 'True', reason: 'Created', message: 'created' }];
      const job = jobNamed(name, of, { metadata: { resourceVersion } });
      const whole = await cluster.request('PUT', `${path}/status`, { body: { ...job, status: { conditions } } });
      const part = await mergePatch(cluster, `${path}/status`, {
        ...workers(of, 4),
        status: { startTime: '2026-01-01T00:00:00Z' },
      });
      expect([whole.status, part.status, at(part.json, 'status')]).toEqual([
        200,
        200,
        { conditions, startTime: '2026-01-01T00:00:00Z' },
      ]);
      expect(at(part.json, 'spec', of.replicaSpecs, 'Worker', 'replicas')).toBe(2);
    });

    test('a finalizer and an owner may not be added', async () => {
      const { path } = await newJob(of);
      const answer = await mergePatch(cluster, path, {
        metadata: {
          finalizers: ['example.com/hold'],
          ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'an-uid' }],
        },
      });
      expect(refused(answer)).toEqual({ status: 403, fields: ['metadata.finalizers', 'metadata.ownerReferences'] });
    });
  });

  describe('/scale of a PyTorchJob', () => {
    const patch = (replicas: number): unknown => ({ spec: { replicas } });

    test('the replicas may not change', async () => {
      const { path } = await newJob(PYTORCH_JOB);
      const answer = await mergePatch(cluster, `${path}/scale`, patch(3));
      expect(refused(answer)).toEqual({ status: 403, fields: ['spec.pytorchReplicaSpecs[Worker].replicas'] });
    });

    test('the replicas that it has are no change', async () => {
      const { path } = await newJob(PYTORCH_JOB);
      const answer = await mergePatch(cluster, `${path}/scale`, patch(2));
      expect([answer.status, at(answer.json, 'spec')]).toEqual([200, { replicas: 2 }]);
    });

    test('an autoscaler is told how it would be allowed', async () => {
      const { path } = await newJob(PYTORCH_JOB);
      const autoscaler = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';
      const answer = await mergePatch(cluster, `${path}/scale`, patch(3), autoscaler);
      expect([answer.status, at(answer.json, 'message')]).toEqual([
        403,
        expect.stringContaining(`. ${WAY_OUT} (${HINTS.horizontalPodAutoscaler})`),
      ]);
    });
  });
});

function stored(answer: Answer): unknown {
  return {
    status: answer.status,
    labels: at(answer.json, 'metadata', 'labels'),
    cleanPodPolicy: at(answer.json, 'spec', 'runPolicy', 'cleanPodPolicy'),
  };
}

function refused(answer: Answer): unknown {
  const causes = at(answer.json, 'details', 'causes');
  return {
    status: answer.status,
    fields: Array.isArray(causes) ? causes.map((cause: unknown) => at(cause, 'field')) : causes,
  };
}
