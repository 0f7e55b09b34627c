import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { startPolicedCluster, type PolicedCluster } from '../apiserver/policed-cluster.ts';
import { presetHintOf } from '../support/denial-wording.ts';
import { startManager, type RunningManager } from './manager.ts';
import { JOBSET, KUEUE, TRAINER } from './managers.ts';
import { BATCH_JOB, QUEUED_KINDS, TRAINING_RUNTIME, type QueuedKind } from './queued-kinds.ts';
import { create, createQueue, NODE_SELECTOR, QUEUE, type Queue } from './queue.ts';
import { NO_CONTROLLERS } from './setup.ts';

jest.setTimeout(180_000);

const describeWithControllers = process.env[NO_CONTROLLERS] === undefined ? describe : describe.skip;
const GARBAGE_AND_JOBS = 'garbage-collector-controller,namespace-controller,serviceaccount-controller,job-controller';

describeWithControllers('Kueue, JobSet and Trainer, the real ones', () => {
  const running = new AsyncDisposableStack();
  let cluster: PolicedCluster;
  let kueue: RunningManager;

  beforeAll(async () => {
    cluster = await startPolicedCluster();
    running.defer(cluster.stop);
    await cluster.startControllerManager(GARBAGE_AND_JOBS);
    running.use(await startManager(cluster, JOBSET));
    running.use(await startManager(cluster, TRAINER));
    kueue = running.use(await startManager(cluster, KUEUE));
  });

  afterAll(() => running.disposeAsync());

  describe.each(QUEUED_KINDS)('a $kind', (kind) => {
    test('is started, stopped and started again by Kueue, where the policy has its preset', async () => {
      const namespace = `${kind.plural}-queued`;
      const queue = await guardedQueue(cluster, namespace, policy(kind, 'presets: { kueue: true }'));
      await createJob(cluster, kind, namespace);

      await isStarted(cluster, kind, namespace);
      await queue.stop(true);
      await isStopped(cluster, kind, namespace);
      await queue.stop(false);
      await isStarted(cluster, kind, namespace);
    });

    test('waits for ever where the policy has no preset, and Kueue logs which one is missing', async () => {
      const namespace = `${kind.plural}-stuck`;
      await guardedQueue(cluster, namespace, policy(kind, ''));
      await createJob(cluster, kind, namespace);

      await eventually('Kueue to be refused', () => Promise.resolve(wasRefused(kueue, namespace) ? true : undefined));
      expect(at(await jobOf(cluster, kind, namespace), ...kind.suspend)).toBe(true);
    });
  });

  test('a batch Job is started with fewer pods than it asks for, and gets them all back when it is stopped', async () => {
    const namespace = 'partly-admitted';
    const queue = await guardedQueue(cluster, namespace, policy(BATCH_JOB, 'presets: { kueue: true }'), 2);
    await createJob(cluster, { ...BATCH_JOB, spec: { ...BATCH_JOB.spec, parallelism: 5, completions: 5 } }, namespace, {
      'kueue.x-k8s.io/job-min-parallelism': '1',
    });

    await isStarted(cluster, BATCH_JOB, namespace);
    expect(at(await jobOf(cluster, BATCH_JOB, namespace), 'spec', 'parallelism')).toBe(2);
    await queue.stop(true);
    await isStopped(cluster, BATCH_JOB, namespace);
    expect(at(await jobOf(cluster, BATCH_JOB, namespace), 'spec', 'parallelism')).toBe(5);
  });
});

/** Returns the policy that guards one kind. */
function policy({ apiVersion, plural }: QueuedKind, presets: string): string {
  const [group] = apiVersion.split('/');
  return `apiVersion: jobguard/v1
kind: UpdatePolicy
resources: [{ group: ${group}, resource: ${plural} }]
${presets}
`;
}

async function guardedQueue(cluster: PolicedCluster, namespace: string, of: string, cpus = 10): Promise<Queue> {
  await cluster.guard(of, [namespace]);
  await create(
    cluster,
    `/apis/trainer.kubeflow.org/v1alpha1/namespaces/${namespace}/trainingruntimes`,
    TRAINING_RUNTIME,
  );
  return createQueue(cluster, namespace, cpus);
}

async function createJob(
  cluster: PolicedCluster,
  { kind, apiVersion, plural, spec }: QueuedKind,
  namespace: string,
  annotations: Readonly<Record<string, string>> = {},
): Promise<void> {
  const metadata = { name: 'queued', labels: { 'kueue.x-k8s.io/queue-name': QUEUE }, annotations };
  await create(cluster, `/apis/${apiVersion}/namespaces/${namespace}/${plural}`, { apiVersion, kind, metadata, spec });
}

async function jobOf(cluster: PolicedCluster, { apiVersion, plural }: QueuedKind, namespace: string): Promise<unknown> {
  return (await cluster.request('GET', `/apis/${apiVersion}/namespaces/${namespace}/${plural}/queued`)).json;
}

/** Tells whether Kueue has logged why it may not start a job of the namespace. */
function wasRefused({ output }: RunningManager, namespace: string): boolean {
  const hint = escaped(presetHintOf('Kueue', 'kueue'));
  return output()
    .split('\n')
    .some((line) => line.includes(namespace) && line.includes(hint));
}

/** Returns a text as it stands in a string of JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Waits until the job runs where Kueue has placed it. */
async function isStarted(cluster: PolicedCluster, kind: QueuedKind, namespace: string): Promise<void> {
  await eventually(`the ${kind.kind} to be started`, async () => {
    const job = await jobOf(cluster, kind, namespace);
    const isPlaced = JSON.stringify(at(job, ...kind.nodeSelector)) === JSON.stringify(NODE_SELECTOR);
    return isPlaced && at(job, ...kind.suspend) === false ? true : undefined;
  });
}

/** Waits until the job is suspended, and as its owner wrote it. */
async function isStopped(cluster: PolicedCluster, kind: QueuedKind, namespace: string): Promise<void> {
  await eventually(`the ${kind.kind} to be stopped`, async () => {
    const job = await jobOf(cluster, kind, namespace);
    const isPlaced = at(job, ...kind.nodeSelector) !== undefined;
    return !isPlaced && at(job, ...kind.suspend) === true ? true : undefined;
  });
}
