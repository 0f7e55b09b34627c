import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/core/json.ts';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
import { refusalOf } from '../support/denial-wording.ts';
import { documentedPolicies } from '../support/documented-policies.ts';
import { otherJobCrdFiles } from '../support/foreign-crds.ts';
import { at } from '../../tools/json-at.ts';
import { describeWithControlPlane } from './layer.ts';
import { startPolicedCluster, type PolicedCluster } from './policed-cluster.ts';

const CONTAINER = { image: 'train:v1', resources: { limits: { cpu: '2', memory: '4Gi' } } };
const RESPELLED = { limits: { cpu: '2000m', memory: '4096Mi' } };

const podTemplate = (name: string): JsonValue => ({
  spec: { containers: [{ name, ...CONTAINER }], restartPolicy: 'Never' },
});

/** A kind that the policy can have guarded. */
interface Kind {
  readonly kind: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly spec: JsonValue;
  /** JSON Pointer of the pod template that is changed, and how messages name it. */
  readonly template: string;
  readonly templateInWords: string;
  /** A field that the policy allows, with a value. */
  readonly allowed: readonly [string, JsonValue];
  /** The change that is refused instead, where the API server itself lets nobody change the image. */
  readonly refused?: readonly [pointer: string, value: JsonValue, cause: string];
  readonly hasScale?: true;
}

const trainingJob = (kind: string, specs: string, container: string, types: string[]): Kind => ({
  kind,
  apiVersion: 'kubeflow.org/v1',
  plural: `${kind.toLowerCase()}s`,
  spec: {
    [specs]: Object.fromEntries(types.map((type) => [type, { replicas: 1, template: podTemplate(container) }])),
  },
  template: `/spec/${specs}/Worker/template`,
  templateInWords: `spec.${specs}[Worker].template`,
  allowed: ['/spec/runPolicy', { activeDeadlineSeconds: 3600 }],
});

const TRAINING_JOBS: readonly Kind[] = [
  trainingJob('MPIJob', 'mpiReplicaSpecs', 'mpi', ['Launcher', 'Worker']),
  trainingJob('XGBoostJob', 'xgbReplicaSpecs', 'xgboost', ['Master', 'Worker']),
  { ...trainingJob('PaddleJob', 'paddleReplicaSpecs', 'paddle', ['Master', 'Worker']), hasScale: true },
  { ...trainingJob('JAXJob', 'jaxReplicaSpecs', 'jax', ['Worker']), hasScale: true },
  trainingJob('TFJob', 'tfReplicaSpecs', 'tensorflow', ['PS', 'Worker']),
  { ...trainingJob('PyTorchJob', 'pytorchReplicaSpecs', 'pytorch', ['Master', 'Worker']), hasScale: true },
];

const JOB: Kind = {
  kind: 'Job',
  apiVersion: 'batch/v1',
  plural: 'jobs',
  spec: { parallelism: 2, template: podTemplate('main') },
  template: '/spec/template',
  templateInWords: 'spec.template',
  allowed: ['/spec/suspend', true],
  refused: ['/spec/parallelism', 3, 'spec.parallelism (2 → 3)'],
};

const JOB_SET: Kind = {
  kind: 'JobSet',
  apiVersion: 'jobset.x-k8s.io/v1alpha2',
  plural: 'jobsets',
  spec: { replicatedJobs: [{ name: 'workers', replicas: 2, template: { spec: { template: podTemplate('main') } } }] },
  template: '/spec/replicatedJobs/0/template/spec/template',
  templateInWords: 'spec.replicatedJobs[0].template.spec.template',
  allowed: ['/spec/suspend', true],
};

/** Each policy that the documentation shows for other kinds, by words that only it has, and the kinds that it guards. */
const POLICIES: readonly { namespace: string; words: string; kinds: readonly Kind[] }[] = [
  { namespace: 'training', words: 'resource: mpijobs', kinds: TRAINING_JOBS },
  { namespace: 'batch', words: 'group: batch', kinds: [JOB] },
  { namespace: 'jobset', words: 'group: jobset.x-k8s.io', kinds: [JOB_SET] },
];

describeWithControlPlane('other kinds, by the policies that the documentation shows for them', () => {
  let cluster: PolicedCluster;
  let jobs = 0;

  beforeAll(async () => {
    cluster = await startPolicedCluster();
    const files = (await otherJobCrdFiles()).flatMap((file) => ['--filename', file]);
    expect(await cluster.kubectl(['create', ...files])).toMatchObject({ code: 0 });
    expect(await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all'])).toMatchObject({ code: 0 });
    for (const { namespace, words } of POLICIES) {
      const [shown, ...others] = documentedPolicies('policy.md').filter(({ text }) => text.includes(words));
      expect(others).toEqual([]);
      await cluster.guard(shown?.text ?? '', [namespace]);
    }
  });
  afterAll(() => cluster.stop());

  describe.each(POLICIES.flatMap(({ namespace, kinds }) => kinds.map((of) => ({ namespace, of, kind: of.kind }))))(
    'a $kind',
    ({ namespace, of }) => {
      async function newJob(): Promise<string> {
        jobs += 1;
        const { kind, apiVersion, plural, spec } = of;
        const path = `/apis/${apiVersion}/namespaces/${namespace}/${plural}`;
        const body = { apiVersion, kind, metadata: { name: `job-${jobs}` }, spec };
        const answer = await cluster.request('POST', path, { body });
        expect([answer.status, at(answer.json, 'message')]).toEqual([201, undefined]);
        return `${path}/job-${jobs}`;
      }

      const add = (path: string, pointer: string, value: JsonValue): Promise<Answer> =>
        cluster.request('PATCH', path, {
          contentType: 'application/json-patch+json',
          body: [{ op: 'add', path: pointer, value }],
          as: 'alice',
        });
      const summary = ({ status, json }: Answer): unknown => [status, at(json, 'message')];
      const denial = (change: string): unknown => [403, expect.stringContaining(`${refusalOf('')}: ${change};`)];

      test.each([['/metadata/labels', { team: 'a' }], of.allowed])('%s may change', async (pointer, value) => {
        expect(summary(await add(await newJob(), pointer, value))).toEqual([200, undefined]);
      });

      const [pointer, value, change] = of.refused ?? [
        `${of.template}/spec/containers/0/image`,
        'train:v2',
        `${of.templateInWords}.spec.containers[0].image (train:v1 → train:v2)`,
      ];
      test(`${pointer} may not, and stays`, async () => {
        const path = await newJob();
        const before = (await cluster.request('GET', path)).json;
        expect(summary(await add(path, pointer, value))).toEqual(denial(change));
        expect((await cluster.request('GET', path)).json).toEqual(before);
      });

      test('a quantity in another spelling is no change', async () => {
        const answer = await add(await newJob(), `${of.template}/spec/containers/0/resources`, RESPELLED);
        expect(summary(answer)).toEqual([200, undefined]);
      });

      if (of.hasScale === undefined) return;
      test('its /scale is judged as its replicas', async () => {
        const path = `${await newJob()}/scale`;
        const specs = of.templateInWords.replace('.template', '.replicas');
        expect(summary(await add(path, '/spec/replicas', 4))).toEqual(denial(`${specs} (1 → 4)`));
        expect(summary(await add(path, '/spec/replicas', 1))).toEqual([200, undefined]);
      });
    },
  );

  test.each([
    { of: JOB, namespace: 'batch', what: 'of a built-in kind changes metadata too', stored: ['example.com/keep'] },
    { of: JOB_SET, namespace: 'jobset', what: 'of a kind of a CRD does not', stored: undefined },
  ])('an update of /status is let through; $what', async ({ of, namespace, stored }) => {
    const { kind, apiVersion, plural, spec } = of;
    const jobs = `/apis/${apiVersion}/namespaces/${namespace}/${plural}`;
    const body = { apiVersion, kind, metadata: { name: 'reported' }, spec };
    expect(await cluster.request('POST', jobs, { body })).toMatchObject({ status: 201 });
    const answer = await cluster.request('PATCH', `${jobs}/reported/status`, {
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers: ['example.com/keep'] } },
      as: 'alice',
    });
    expect([answer.status, at(answer.json, 'metadata', 'finalizers')]).toEqual([200, stored]);
  });

  test('the image of a batch/v1 Job cannot change anyhow: the API server says so before jobguard', async () => {
    const path = '/apis/batch/v1/namespaces/batch/jobs/probe';
    const answer = await cluster.request('PATCH', path, {
      contentType: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'train:v2' }],
    });
    expect([answer.status, at(answer.json, 'reason')]).toEqual([422, 'Invalid']);
  });
});
