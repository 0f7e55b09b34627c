import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { at } from '../../tools/json-at.ts';
import { startGuardedCluster, WEBHOOK_NAME, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, PYTORCH_JOB } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

const POLICY = `
apiVersion: jobguard/v1
kind: UpdatePolicy
presets: { kueue: true, horizontalPodAutoscaler: true }
`;

const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';
const AUTOSCALER = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';

const started = {
  runPolicy: { suspend: false },
  pytorchReplicaSpecs: {
    Worker: {
      template: {
        metadata: { labels: { 'kueue.x-k8s.io/podset': 'worker' } },
        spec: { nodeSelector: { pool: 'gpu' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] },
      },
    },
  },
};
const stopped = {
  runPolicy: { suspend: true },
  pytorchReplicaSpecs: { Worker: { template: { metadata: null, spec: { nodeSelector: null, tolerations: null } } } },
};

describeWithControlPlane('writers that the policy exempts', () => {
  let cluster: GuardedCluster;
  let path: string;

  beforeAll(async () => {
    cluster = await startGuardedCluster('training-operator 1.9', POLICY);
    path = await create(
      cluster,
      PYTORCH_JOB,
      jobNamed('mnist', PYTORCH_JOB, { spec: { runPolicy: { suspend: true } } }),
    );
  });
  afterAll(() => cluster.stop());

  test('nobody else may start a job in Kueue’s place', async () => {
    expect((await mergePatch(cluster, path, { spec: started }, 'alice')).status).toBe(403);
  });

  test.each([
    ['starts', started],
    ['stops', stopped],
  ])('Kueue %s a job in one request', async (_what, spec) => {
    const answer = await mergePatch(cluster, path, { spec }, KUEUE);
    expect([answer.status, at(answer.json, 'spec', 'runPolicy')]).toEqual([200, spec.runPolicy]);
    expect(await cluster.auditAnnotations(answer)).toMatchObject({
      [`${WEBHOOK_NAME}/decision`]: 'exempt',
      [`${WEBHOOK_NAME}/exemption`]: 'kueue',
    });
  });

  test('Kueue may not change the replicas', async () => {
    const spec = { pytorchReplicaSpecs: { Worker: { replicas: 3 } } };
    expect((await mergePatch(cluster, path, { spec }, KUEUE)).status).toBe(403);
  });

  test('the autoscaler scales, and nobody else', async () => {
    const scale = { spec: { replicas: 3 } };
    const other = await mergePatch(cluster, `${path}/scale`, scale, 'alice');
    const answer = await mergePatch(cluster, `${path}/scale`, scale, AUTOSCALER);
    expect([other.status, answer.status, at(answer.json, 'spec')]).toEqual([403, 200, { replicas: 3 }]);
    expect(await cluster.auditAnnotations(answer)).toMatchObject({
      [`${WEBHOOK_NAME}/exemption`]: 'horizontalPodAutoscaler',
    });
  });
});
