import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
import { at } from '../../tools/json-at.ts';
import { startGuardedCluster, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, TF_JOB } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

/** The example of docs/policy.md that lets people annotate pods, and one that opens a whole map. */
const POLICY = `
apiVersion: jobguard/v1
kind: UpdatePolicy
allow:
  - /metadata/labels
  - /spec/tfReplicaSpecs/*/template/metadata/annotations
  - /spec/tfReplicaSpecs/PS/template/spec/nodeSelector
`;

/** One change of a stored job, as a JSON patch; a null in a merge patch would remove instead. */
interface Row {
  readonly title: string;
  readonly path: string;
  readonly value: unknown;
  readonly refused: string | undefined;
}

const SPECS = '/spec/tfReplicaSpecs';
const WORKER_POD = `${SPECS}/Worker/template/spec`;
const LIMITS = `${WORKER_POD}/containers/0/resources/limits`;
const SHOWN_WORKER_POD = 'spec.tfReplicaSpecs[Worker].template.spec';

const ROWS: readonly Row[] = [
  {
    title: 'a replica type of nothing but annotations',
    path: `${SPECS}/Evaluator`,
    value: { template: { metadata: { annotations: { a: 'b' } } } },
    refused: 'spec.tfReplicaSpecs[Evaluator]',
  },
  {
    title: 'annotations of a replica type that is there',
    path: `${SPECS}/Worker/template/metadata`,
    value: { annotations: { a: 'b' } },
    refused: undefined,
  },
  {
    title: 'a replica type that is null',
    path: `${SPECS}/Chief`,
    value: null,
    refused: 'spec.tfReplicaSpecs[Chief]',
  },
  {
    title: 'a node selector that is null',
    path: `${WORKER_POD}/nodeSelector`,
    value: { gpu: null },
    refused: `${SHOWN_WORKER_POD}.nodeSelector`,
  },
  {
    title: 'a node selector that is null where everything below may change',
    path: `${SPECS}/PS/template/spec/nodeSelector`,
    value: { gpu: null },
    refused: undefined,
  },
  {
    title: 'a limit that is null',
    path: `${LIMITS}/gpu`,
    value: null,
    refused: `${SHOWN_WORKER_POD}.containers[0].resources.limits[gpu]`,
  },
  {
    title: 'a limit with a line break',
    path: `${LIMITS}/cpu`,
    value: '2\n',
    refused: `${SHOWN_WORKER_POD}.containers[0].resources.limits[cpu]`,
  },
  {
    title: 'a limit with a byte order mark',
    path: `${LIMITS}/cpu`,
    value: '\ufeff2',
    refused: `${SHOWN_WORKER_POD}.containers[0].resources.limits[cpu]`,
  },
  { title: 'a limit that is spelled otherwise', path: `${LIMITS}/cpu`, value: '2000m', refused: undefined },
  { title: 'null at a field', path: `${WORKER_POD}/tolerations`, value: null, refused: undefined },
];

describeWithControlPlane('entries of a first-generation job', () => {
  let cluster: GuardedCluster;
  beforeAll(async () => {
    cluster = await startGuardedCluster('first generation', POLICY);
  });
  afterAll(() => cluster.stop());

  const outcome = (answer: Answer): unknown => ({
    status: answer.status,
    refused: at(answer.json, 'details', 'causes', 0, 'field'),
  });

  test.each(ROWS)('$title', async ({ path, value, refused }) => {
    const name = `job-${ROWS.findIndex((row) => row.path === path && row.value === value)}`;
    const job = await create(cluster, TF_JOB, jobNamed(name, TF_JOB));
    const contentType = 'application/json-patch+json';
    const answer = await cluster.request('PATCH', job, { contentType, body: [{ op: 'add', path, value }] });
    expect(outcome(answer)).toEqual({ status: refused === undefined ? 200 : 403, refused });
  });

  test('a null that is stored stays through an allowed update, and may not go', async () => {
    const specs = { spec: { tfReplicaSpecs: { Worker: { replicas: 1 }, PS: null } } };
    const job = await create(cluster, TF_JOB, { ...jobNamed('stored-null', TF_JOB), ...specs });
    const labelled = await mergePatch(cluster, job, { metadata: { labels: { team: 'a' } } });
    expect([labelled.status, at(labelled.json, 'spec', 'tfReplicaSpecs', 'PS')]).toEqual([200, null]);
    const removed = await mergePatch(cluster, job, { spec: { tfReplicaSpecs: { PS: null } } });
    expect(outcome(removed)).toEqual({ status: 403, refused: 'spec.tfReplicaSpecs[PS]' });
  });
});
