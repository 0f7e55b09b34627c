import { expect, test } from '@jest/globals';
import { create, jobNamed, mergePatch, TF_JOB, workers } from '../apiserver/jobs.ts';
import type { Cluster } from '../../tools/node/cluster.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { install } from './release.ts';

const NAME = 'jobguard-absent';
const TIMEOUT_MS = 300_000;

/** What an outage of every replica costs. */
export function withoutReplicas(cluster: () => Cluster): void {
  test(
    'with the Deployment scaled to 0: labels and annotations pass, guarded changes name the webhook',
    async () => {
      await using release = await install(cluster(), NAME);
      const job = await create(cluster(), TF_JOB, jobNamed(NAME, TF_JOB));
      await using undo = new AsyncDisposableStack();
      undo.defer(async () => {
        await cluster().request('DELETE', job);
      });
      const scale = ['--namespace', NAME, 'scale', `deployment/${NAME}`];
      await cluster().kubectl([...scale, '--replicas=0']);
      await eventually('no pods', async () => ((await release.pods()).length === 0 ? true : undefined), {
        timeoutMs: 120_000,
        intervalMs: 500,
      });
      const answers = [
        await mergePatch(cluster(), job, { metadata: { labels: { team: 'vision' } } }),
        await mergePatch(cluster(), job, { metadata: { annotations: { note: 'a remark' } } }),
        await mergePatch(cluster(), job, workers(TF_JOB, 7)),
        await mergePatch(cluster(), job, { spec: { runPolicy: { activeDeadlineSeconds: 60 } } }),
      ];
      process.stdout.write(`without replicas: ${answers.map(({ status }) => status).join(', ')}\n`);
      const refusal = 'Internal error occurred: failed calling webhook "jobs.jobguard.dev": ';
      expect(answers.map(({ status, json }) => [status, String(at(json, 'message')).slice(0, refusal.length)])).toEqual(
        [
          [200, 'undefined'],
          [200, 'undefined'],
          [500, refusal],
          [500, refusal],
        ],
      );
      await cluster().kubectl([...scale, '--replicas=2']);
      await release.settled();
      // Of the first pods kube-proxy hears a moment after they are ready; where there was one before, nobody notices: restarts.ts.
      const guarded = await eventually('the Service to lead to them', async () => {
        const answer = await mergePatch(cluster(), job, workers(TF_JOB, 7));
        return answer.status === 500 ? undefined : answer;
      });
      expect(guarded.status).toBe(403);
    },
    TIMEOUT_MS,
  );
}
