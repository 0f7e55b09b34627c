import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../../tools/child-process.ts';
import { eventually } from '../../tools/eventually.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { collection, jobNamed, mergePatch, PYTORCH_JOB, TF_JOB } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

const HPA = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';

const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'RequestResponse', resources: [{ group: 'kubeflow.org' }] }, { level: 'None' }],
};

describeWithControlPlane('the audit log of a cluster without jobguard', () => {
  let cluster: ControlPlane;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-replay-'));
    const policy = join(folder, 'audit-policy.json');
    await writeFile(policy, JSON.stringify(AUDIT_POLICY));
    cluster = await startControlPlane('training-operator 1.9', { apiServerFlags: { 'audit-policy-file': policy } });
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(folder, { recursive: true });
  });

  test('tells which updates would be refused, and to whom', async () => {
    const patch = async (path: string, body: unknown, as?: string): Promise<number> =>
      (await mergePatch(cluster, path, body, as)).status;
    for (const kind of [PYTORCH_JOB, TF_JOB]) {
      expect((await cluster.request('POST', collection(kind), { body: jobNamed('mnist', kind) })).status).toBe(201);
    }
    const pytorch = `${collection(PYTORCH_JOB)}/mnist`;
    const statuses = [
      await patch(pytorch, { metadata: { labels: { team: 'speech' } } }, 'ann'),
      await patch(pytorch, { spec: { runPolicy: { activeDeadlineSeconds: 60 } } }, 'ann'),
      await patch(pytorch, { spec: { runPolicy: { backoffLimit: 2 } } }, 'ann'),
      await patch(`${pytorch}?dryRun=All`, { spec: { runPolicy: { backoffLimit: 3 } } }, 'ann'),
      await patch(pytorch, { spec: { runPolicy: { cleanPodPolicy: 1 } } }, 'ann'),
      await patch(`${pytorch}/status`, { status: { startTime: '2026-01-01T00:00:00Z' } }, 'operator'),
      await patch(`${pytorch}/scale`, { spec: { replicas: 3 } }, HPA),
      await patch(`${collection(TF_JOB)}/mnist`, { spec: { tfReplicaSpecs: { Worker: { replicas: 4 } } } }, 'bob'),
    ];
    expect(statuses).toEqual([200, 200, 200, 200, 422, 200, 200, 200]);
    await eventually('the last event', async () =>
      (await readFile(cluster.auditLogFile, 'utf8')).includes('"bob"') ? true : undefined,
    );

    const { code, stdout } = await run(process.execPath, [BUNDLE, 'replay', cluster.auditLogFile, '-o', 'json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      {
        judged: 5,
        allowed: 2,
        exempt: 0,
        denied: 3,
        unknown: 0,
        skipped: 2,
        writers: [
          { user: 'ann', denied: 1, paths: [{ path: '/spec/runPolicy/backoffLimit', count: 1 }] },
          { user: HPA, denied: 1, paths: [{ path: '/spec/pytorchReplicaSpecs/Worker/replicas', count: 1 }] },
          { user: 'bob', denied: 1, paths: [{ path: '/spec/tfReplicaSpecs/Worker/replicas', count: 1 }] },
        ],
      },
    ]);
  });
});
