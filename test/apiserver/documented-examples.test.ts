import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '../../src/core/json.ts';
import { at } from '../../tools/json-at.ts';
import { mergePatched } from '../support/job.ts';
import { startGuardedCluster, WEBHOOK_NAME, type GuardedCluster } from './guarded-cluster.ts';
import { collection, mergePatch, PYTORCH_JOB, TF_JOB, workers, type JobKind } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

const EXAMPLES = [
  {
    of: TF_JOB,
    kind: TF_JOB.kind,
    files: { job: 'tfjob.json', patch: 'tfjob-patch.json', replacement: 'tfjob-replacement.json' },
  },
  {
    of: PYTORCH_JOB,
    kind: PYTORCH_JOB.kind,
    files: { job: 'pytorchjob.json', patch: 'pytorchjob-patch.json', replacement: 'pytorchjob-replacement.json' },
  },
];

const fixture = (name: string): Promise<string> =>
  readFile(join(import.meta.dirname, '../../examples/jobs', name), 'utf8');

describeWithControlPlane('the documented examples, on the generation that they are of', () => {
  let cluster: GuardedCluster;

  beforeAll(async () => {
    cluster = await startGuardedCluster('first generation');
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-test' } };
    await cluster.request('POST', '/api/v1/namespaces', { body: namespace });
  });
  afterAll(() => cluster.stop());

  test.each(EXAMPLES)('$kind: the label patch is answered 200 with the documented object', async ({ of, files }) => {
    const example: unknown = JSON.parse(await fixture(files.job));
    const path = await createExample(of, example);
    const reported = await mergePatch(cluster, `${path}/status`, { status: at(example, 'status') });
    const answer = await mergePatch(cluster, `${path}?pretty=true`, await fixture(files.patch));

    expect({ reported: reported.status, patched: answer.status }).toEqual({ reported: 200, patched: 200 });
    expect(answer.json).toEqual({
      apiVersion: 'kubeflow.org/v1',
      kind: of.kind,
      metadata: {
        name: at(example, 'metadata', 'name'),
        namespace: 'kube-test',
        labels: { app: 'test' },
        generation: 1,
        creationTimestamp: expect.any(String),
        managedFields: expect.any(Array),
        resourceVersion: expect.any(String),
        uid: expect.any(String),
      },
      spec: at(example, 'spec'),
      status: at(example, 'status'),
    });
    expect(answer.text).toMatch(/^\{\n {2}"apiVersion"/);
  });

  test.each(EXAMPLES)(
    '$kind: the replacement, with what the server owns sent back, changes the TTL; with more workers it is refused',
    async ({ of, files }) => {
      const example: unknown = JSON.parse(await fixture(files.job));
      const path = `${collection(of, 'kube-test')}/${String(at(example, 'metadata', 'name'))}`;
      const { json: stored } = await cluster.request('GET', path);
      // The page's own are of another server, which gave the job another identity.
      const owned = (key: string): string => String(at(stored, 'metadata', key));
      const replacement = mergePatched(parseJson(await fixture(files.replacement)), {
        metadata: { uid: owned('uid'), resourceVersion: owned('resourceVersion') },
      });
      const moreWorkers = { spec: { [of.replicaSpecs]: { Worker: { replicas: 4 } } } };
      const refused = await cluster.request('PUT', path, { body: mergePatched(replacement, moreWorkers) });
      const answer = await cluster.request('PUT', path, { body: replacement });

      expect([refused.status, at(refused.json, 'details', 'causes')]).toEqual([
        403,
        [expect.objectContaining({ field: `spec.${of.replicaSpecs}[Worker].replicas` })],
      ]);
      expect([answer.status, at(answer.json, 'spec')]).toEqual([200, at(replacement, 'spec')]);
    },
  );

  /** Creates what the page shows before its update: without what only the server sets, and without the label. */
  async function createExample(of: JobKind, example: unknown): Promise<string> {
    const name = String(at(example, 'metadata', 'name'));
    const path = collection(of, 'kube-test');
    const metadata = { name, namespace: 'kube-test', labels: { app: 'other' } };
    const answer = await cluster.request('POST', path, {
      body: { apiVersion: 'kubeflow.org/v1', kind: of.kind, metadata, spec: at(example, 'spec') },
    });
    expect(answer.status).toBe(201);
    return `${path}/${name}`;
  }

  const TFJOB = `${collection(TF_JOB, 'kube-test')}/tfjob-test`;

  test('400: a patch that is not JSON', async () => {
    const answer = await mergePatch(cluster, TFJOB, '{"metadata": {"labels"');
    expect([answer.status, at(answer.json, 'reason')]).toEqual([400, 'BadRequest']);
  });

  test('401: a token that nobody issued', async () => {
    const contentType = 'application/merge-patch+json';
    const body = await fixture('tfjob-patch.json');
    const answer = await cluster.request('PATCH', TFJOB, { token: 'wrong', contentType, body });
    expect([answer.status, at(answer.json, 'reason')]).toEqual([401, 'Unauthorized']);
  });

  test('403: a patch of the replicas, by jobguard', async () => {
    const answer = await mergePatch(cluster, TFJOB, workers(TF_JOB, 4));
    expect([answer.status, at(answer.json, 'reason')]).toEqual([403, 'Forbidden']);
    expect(at(answer.json, 'message')).toContain(`admission webhook "${WEBHOOK_NAME}" denied the request`);
  });

  test('409: a patch of a version of the job that is no longer stored', async () => {
    const stored = await cluster.request('GET', TFJOB);
    const resourceVersion = at(stored.json, 'metadata', 'resourceVersion');
    const labelled = await mergePatch(cluster, TFJOB, { metadata: { labels: { changed: 'meanwhile' } } });
    const answer = await mergePatch(cluster, TFJOB, { metadata: { resourceVersion, labels: { app: 'test' } } });
    expect(labelled.status).toBe(200);
    expect([answer.status, at(answer.json, 'reason')]).toEqual([409, 'Conflict']);
  });
});
