import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create, jobNamed, mergePatch, TF_JOB } from '../apiserver/jobs.ts';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { at } from '../../tools/json-at.ts';
import { refusalOf } from '../support/denial-wording.ts';
import { startContainer, type JobguardContainer } from './jobguard-container.ts';
import { CONTAINER_TIMEOUT_MS, describeWithDocker } from './layer.ts';

const WEBHOOK_NAME = 'jobs.jobguard.test';

/** What is in the stored job and in the updates, and belongs into no log. */
const VALUES = ['train:v1', '--epochs', 'secret', 'train:v2', '--debug', 'hunter2', 'vision', 'a-remark'];

/** Replaces everything of a worker's container. */
const FORBIDDEN = {
  metadata: { annotations: { note: 'a-remark' } },
  spec: {
    tfReplicaSpecs: {
      Worker: {
        template: {
          spec: {
            containers: [
              { name: 'tensorflow', image: 'train:v2', args: ['--debug'], env: [{ name: 'TOKEN', value: 'hunter2' }] },
            ],
          },
        },
      },
    },
  },
};

describeWithDocker('a kube-apiserver that calls a container', () => {
  const undo = new AsyncDisposableStack();
  let container: JobguardContainer;
  let cluster: ControlPlane;
  let job: string;

  beforeAll(async () => {
    container = undo.use(await startContainer({ flags: ['--log-level', 'debug'] }));
    cluster = await startControlPlane('training-operator 1.9');
    undo.defer(() => cluster.stop());
    const { port, ca: caPem } = container.endpoint;
    await cluster.register({ name: WEBHOOK_NAME, port, caPem, failurePolicy: 'Fail' });
    job = await create(cluster, TF_JOB, jobNamed('mnist', TF_JOB));
  }, CONTAINER_TIMEOUT_MS);
  afterAll(() => undo.disposeAsync(), CONTAINER_TIMEOUT_MS);

  test('lets an allowed update pass', async () => {
    const answer = await mergePatch(cluster, job, { metadata: { labels: { team: 'vision' } } });
    expect([answer.status, at(answer.json, 'metadata', 'labels')]).toEqual([200, { team: 'vision' }]);
  });

  test('refuses a forbidden one, in jobguard’s words', async () => {
    const answer = await mergePatch(cluster, job, FORBIDDEN);
    expect(answer.status).toBe(403);
    expect(at(answer.json, 'message')).toMatch(
      `admission webhook "${WEBHOOK_NAME}" denied the request: ${refusalOf('tfjobs.kubeflow.org "mnist"')}: `,
    );
  });

  test('leaves no value of a job in the log, at any level', async () => {
    await mergePatch(cluster, job, { metadata: { labels: { team: 'vision' } } });
    await mergePatch(cluster, job, FORBIDDEN);
    const log = await container.logs();
    expect(log).toContain('/spec/tfReplicaSpecs/Worker/template/spec/containers/0/image');
    expect(VALUES.filter((value) => log.includes(value))).toEqual([]);
  });
});
