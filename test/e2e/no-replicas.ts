import { expect, test } from '@jest/globals';
import { collection, create, jobNamed, mergePatch, PYTORCH_JOB, TF_JOB, workers } from '../apiserver/jobs.ts';
import type { Cluster } from '../../tools/node/cluster.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { install, type Release } from './release.ts';

const NAME = 'jobguard-absent';
const DOOMED = `${NAME}-jobs`;
const TIMEOUT_MS = 300_000;
const REFUSAL = 'Internal error occurred: failed calling webhook "jobs.jobguard.dev": ';

/** What everybody may change. */
const ALLOWED: readonly object[] = [
  { metadata: { labels: { team: 'vision' } } },
  { metadata: { annotations: { note: 'a remark' } } },
  { spec: { runPolicy: { activeDeadlineSeconds: 60 } } },
  { spec: { runPolicy: { ttlSecondsAfterFinished: 60 } } },
  { spec: { runPolicy: { cleanPodPolicy: 'All' } } },
];

/** What nobody may change. */
const GUARDED: readonly object[] = [
  workers(TF_JOB, 7),
  { spec: { runPolicy: { backoffLimit: 9 } } },
  { metadata: { finalizers: [] } },
];

/** What an outage of every replica costs. */
export function withoutReplicas(cluster: () => Cluster): void {
  test(
    'with the Deployment scaled to 0: allowed changes and deletions go on, guarded changes name the webhook',
    async () => {
      await using release = await install(cluster(), NAME, {}, { guarded: ['default', NAME, DOOMED] });
      const metadata = { finalizers: ['example.com/keep'] };
      const job = await create(cluster(), TF_JOB, jobNamed(NAME, TF_JOB, { metadata }));
      await using undo = new AsyncDisposableStack();
      undo.defer(() => deleted(cluster(), job));
      await scale(cluster(), 0);
      await eventually('no pods', async () => ((await release.pods()).length === 0 ? true : undefined), {
        timeoutMs: 120_000,
        intervalMs: 500,
      });
      await expectAllowedPass(cluster(), job);
      await expectDeletionsFinish(cluster());
      await scale(cluster(), 2);
      await expectGuarded(cluster(), release, job);
    },
    TIMEOUT_MS,
  );
}

async function scale(cluster: Cluster, replicas: number): Promise<void> {
  await cluster.kubectl(['--namespace', NAME, 'scale', `deployment/${NAME}`, `--replicas=${replicas}`]);
}

async function expectAllowedPass(cluster: Cluster, job: string): Promise<void> {
  const answersTo = async (patches: readonly object[]): Promise<string[]> => {
    const answers: string[] = [];
    for (const patch of patches) {
      const { status, json } = await mergePatch(cluster, job, patch);
      answers.push(status === 200 ? 'passes' : `${status} ${String(at(json, 'message')).slice(0, REFUSAL.length)}`);
    }
    return answers;
  };
  expect(await answersTo(ALLOWED)).toEqual(ALLOWED.map(() => 'passes'));
  expect(await answersTo(GUARDED)).toEqual(GUARDED.map(() => `500 ${REFUSAL}`));
}

/** Deletes a job of each kind with each cascade, and a namespace full of jobs whose finalizers somebody has to take away. */
async function expectDeletionsFinish(cluster: Cluster): Promise<void> {
  for (const kind of [TF_JOB, PYTORCH_JOB]) {
    for (const cascade of ['background', 'foreground', 'orphan']) {
      const job = await create(cluster, kind, jobNamed(`${NAME}-${cascade}`, kind));
      const name = `${kind.plural}/${NAME}-${cascade}`;
      const answer = await cluster.kubectl(['delete', name, `--cascade=${cascade}`, '--timeout=60s']);
      expect(answer).toMatchObject({ code: 0, stderr: '' });
      expect((await cluster.request('GET', job)).status).toBe(404);
    }
  }
  await cluster.kubectl(['create', 'namespace', DOOMED]);
  const metadata = { namespace: DOOMED, finalizers: ['example.com/keep'] };
  const jobs = await Promise.all(
    Array.from({ length: 20 }, (_, index) => create(cluster, TF_JOB, jobNamed(`job-${index}`, TF_JOB, { metadata }))),
  );
  await cluster.kubectl(['delete', 'namespace', DOOMED, '--wait=false']);
  await eventually('the jobs to be terminating', async () => {
    const { json } = await cluster.request('GET', collection(TF_JOB, DOOMED));
    const items = at(json, 'items');
    const terminating = Array.isArray(items) && items.every((item) => at(item, 'metadata', 'deletionTimestamp'));
    return terminating || undefined;
  });
  for (const job of jobs) {
    expect((await mergePatch(cluster, job, { metadata: { finalizers: null } })).status).toBe(200);
  }
  const gone = await cluster.kubectl(['wait', '--for=delete', `namespace/${DOOMED}`, '--timeout=90s'], {
    timeoutMs: 100_000,
  });
  expect(gone).toMatchObject({ code: 0 });
}

/** Waits until a job is guarded again: of the first pods kube-proxy hears a moment after they are ready. */
async function expectGuarded(cluster: Cluster, release: Release, job: string): Promise<void> {
  await release.settled();
  const guarded = await eventually('the Service to lead to them', async () => {
    const answer = await mergePatch(cluster, job, workers(TF_JOB, 7));
    return answer.status === 500 ? undefined : answer;
  });
  expect(guarded.status).toBe(403);
}

async function deleted(cluster: Cluster, job: string): Promise<void> {
  await cluster.request('DELETE', job);
  await mergePatch(cluster, job, { metadata: { finalizers: null } });
}
