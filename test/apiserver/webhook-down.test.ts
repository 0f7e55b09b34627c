import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { startGuardedCluster, WEBHOOK_NAME, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, TF_JOB, workers } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

const CONFIGURATION = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK_NAME}`;

describeWithControlPlane('while no jobguard answers', () => {
  let cluster: GuardedCluster;
  let path: string;

  beforeAll(async () => {
    cluster = await startGuardedCluster('training-operator 1.9');
    path = await create(cluster, TF_JOB, jobNamed('mnist', TF_JOB));
    await cluster.jobguard[Symbol.asyncDispose]();
  });
  afterAll(() => cluster.stop());

  const label = (): Promise<Answer> => mergePatch(cluster, path, { metadata: { labels: { app: 'test' } } });
  const unreachable = (): string =>
    `failed calling webhook "${WEBHOOK_NAME}": failed to call webhook: ` +
    `Post "https://127.0.0.1:${cluster.jobguard.securePort}/validate?timeout=5s": ` +
    `dial tcp 127.0.0.1:${cluster.jobguard.securePort}: connect: connection refused`;

  test('failurePolicy Fail: even a label is refused, with 500', async () => {
    const answer = await label();
    expect(answer.json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${unreachable()}`,
      reason: 'InternalError',
      details: { causes: [{ message: unreachable() }] },
      code: 500,
    });
  });

  test('failurePolicy Fail: status and deletion go on', async () => {
    const doomed = await create(cluster, TF_JOB, jobNamed('doomed', TF_JOB));
    const reported = await mergePatch(cluster, `${doomed}/status`, { status: { startTime: '2026-01-01T00:00:00Z' } });
    const deleted = await cluster.request('DELETE', doomed);
    expect([reported.status, deleted.status]).toEqual([200, 200]);
  });

  test('failurePolicy Ignore: a label and a replicas patch pass, and the audit log says so', async () => {
    const patch = [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }];
    const contentType = 'application/json-patch+json';
    await cluster.request('PATCH', CONFIGURATION, { contentType, body: patch });
    const labelled = await eventually('the failurePolicy to be in force', async () => {
      const answer = await label();
      return answer.status === 200 ? answer : undefined;
    });
    const scaled = await mergePatch(cluster, path, workers(TF_JOB, 4));
    expect(at(labelled.json, 'metadata', 'labels')).toEqual({ app: 'test' });
    expect([scaled.status, at(scaled.json, 'spec', 'tfReplicaSpecs', 'Worker', 'replicas')]).toEqual([200, 4]);
    expect(await cluster.auditAnnotations(scaled)).toMatchObject({
      'failed-open.validating.webhook.admission.k8s.io/round_0_index_0': WEBHOOK_NAME,
    });
  });
});
