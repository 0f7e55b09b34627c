import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { at } from '../../tools/json-at.ts';
import { causeOf, denialOf, wayOutIn } from '../support/denial-wording.ts';
import { startGuardedCluster, WEBHOOK_NAME, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, TF_JOB, workers } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

/** Two forbidden changes beside an allowed one; lists are replaced whole. */
const PATCH = {
  metadata: { labels: { team: 'a' } },
  spec: {
    tfReplicaSpecs: {
      Worker: {
        replicas: 4,
        template: {
          spec: {
            containers: [
              {
                name: 'tensorflow',
                image: 'train:v2',
                args: ['--epochs', '3'],
                env: [{ name: 'TOKEN', value: 'another secret' }],
                resources: { limits: { cpu: '2', memory: '4Gi' } },
              },
            ],
          },
        },
      },
    },
  },
};

const REFUSED = [
  { field: 'spec.tfReplicaSpecs[Worker].replicas', values: '2 → 4' },
  { field: 'spec.tfReplicaSpecs[Worker].template.spec.containers[0].env[0].value', values: 'changed' },
  { field: 'spec.tfReplicaSpecs[Worker].template.spec.containers[0].image', values: 'train:v1 → train:v2' },
];

const MESSAGE =
  `admission webhook "${WEBHOOK_NAME}" denied the request: ` +
  denialOf(
    'tfjobs.kubeflow.org "mnist"',
    REFUSED.map(({ field, values }) => `${field} (${values})`),
    { wayOut: wayOutIn('default') },
  );

const noted = (annotations: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${WEBHOOK_NAME}/${key}`, value]));

describeWithControlPlane('a denial, as the API server hands it on', () => {
  let cluster: GuardedCluster;
  let path: string;
  let uid: unknown;

  beforeAll(async () => {
    cluster = await startGuardedCluster('training-operator 1.9');
    path = await create(cluster, TF_JOB, jobNamed('mnist', TF_JOB));
    uid = at((await cluster.request('GET', path)).json, 'metadata', 'uid');
  });
  afterAll(() => cluster.stop());

  test('is a 403 that names every refused field, in the message and as a cause', async () => {
    const answer = await mergePatch(cluster, path, PATCH);
    expect(answer.status).toBe(403);
    expect(answer.json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: MESSAGE,
      reason: 'Forbidden',
      details: {
        name: 'mnist',
        group: 'kubeflow.org',
        kind: 'tfjobs',
        uid,
        causes: REFUSED.map(({ field, values }) => ({
          reason: 'FieldValueForbidden',
          message: causeOf(values),
          field,
        })),
      },
      code: 403,
    });
  });

  test('is printed by kubectl with its message', async () => {
    const args = ['patch', 'tfjob', 'mnist', '--type=merge', '--patch', JSON.stringify(PATCH)];
    expect(await cluster.kubectl(args)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error from server (Forbidden): ${MESSAGE}\n`,
    });
  });

  test('is noted in the audit log, without a value', async () => {
    const answer = await mergePatch(cluster, path, PATCH, 'alice');
    const annotations = await cluster.auditAnnotations(answer);
    const template = '/spec/tfReplicaSpecs/Worker/template/spec/containers/0';
    expect(annotations).toMatchObject({
      ...noted({
        decision: 'deny',
        mode: 'enforce',
        'denied-count': '3',
        'denied-paths': JSON.stringify([
          '/spec/tfReplicaSpecs/Worker/replicas',
          `${template}/env/0/value`,
          `${template}/image`,
        ]),
      }),
      [`${WEBHOOK_NAME}/policy`]: expect.stringMatching(/^\S+$/),
    });
    expect(JSON.stringify(annotations)).not.toMatch(/secret|train:v/);
  });

  test('leaves the job as it was, the allowed part of the request included', async () => {
    const before = await cluster.request('GET', path);
    const denied = await mergePatch(cluster, path, PATCH);
    const after = await cluster.request('GET', path);
    expect(denied.status).toBe(403);
    expect(after.json).toEqual(before.json);
  });

  test.each([
    ['denied', workers(TF_JOB, 4), 403],
    ['allowed', { metadata: { labels: { team: 'dry' } } }, 200],
  ])('a dry run is %s as the update would be, and stores nothing', async (_outcome, patch, status) => {
    const before = await cluster.request('GET', path);
    const answer = await mergePatch(cluster, `${path}?dryRun=All`, patch);
    const after = await cluster.request('GET', path);
    expect(answer.status).toBe(status);
    expect(after.json).toEqual(before.json);
  });

  test('an allowed update is noted in the audit log, too', async () => {
    const answer = await mergePatch(cluster, path, { metadata: { labels: { team: 'b' } } });
    expect(answer.status).toBe(200);
    expect(await cluster.auditAnnotations(answer)).toMatchObject(noted({ decision: 'allow', mode: 'enforce' }));
  });

  test('a value that the operator would misread is let through with a warning', async () => {
    const args = ['patch', 'tfjob', 'mnist', '--type=merge', '--patch'];
    const answer = await cluster.kubectl([...args, '{"spec":{"runPolicy":{"cleanPodPolicy":"Sometimes"}}}']);
    expect(answer).toEqual({
      code: 0,
      stdout: 'tfjob.kubeflow.org/mnist patched\n',
      stderr: expect.stringMatching(/^Warning: spec\.runPolicy\.cleanPodPolicy .*\n$/),
    });
  });
});
