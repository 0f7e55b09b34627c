import { expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { create, jobNamed, mergePatch, TF_JOB } from '../apiserver/jobs.ts';
import { at } from '../support/json-at.ts';
import { install, issue, SECRET, serves, type Release } from './release.ts';
import { GUARDED_TRAFFIC, startTraffic, type Traffic } from './traffic.ts';

const REQUESTS = 20_000;
const PER_SECOND = 60;
const NAME = 'jobguard-restarts';
/** Beside the requests, twice as long for what happens meanwhile. */
const TIMEOUT_MS = 3 * (REQUESTS / PER_SECOND) * 1000;

/** What users never notice. */
export function restartsNobodyNotices(cluster: () => Cluster): void {
  test(
    `0 of ${REQUESTS} updates fail over restarts, upgrades, evictions and rotations`,
    async () => {
      const first = await issue(cluster(), NAME, 100);
      await cluster().kubectl(['create', 'namespace', NAME]);
      await first.store();
      const release = await install(cluster(), NAME, {
        tls: { mode: 'existingSecret', existingSecret: { name: SECRET, caBundle: first.ca } },
      });
      const traffic = await startTraffic(cluster(), { prefix: NAME, kinds: GUARDED_TRAFFIC, perSecond: PER_SECOND });
      const reached = await Promise.race([
        everything(cluster(), release, traffic, first.ca),
        delay(TIMEOUT_MS, 'late'),
      ]);
      traffic.phase('afterwards');
      const { sent, right, wrong, slowestMs } = await traffic.finish(REQUESTS);
      process.stdout.write(
        `${sent} PATCHes at ${PER_SECOND} a second, ${JSON.stringify(right)}, ${wrong.length} failed, slowest ${slowestMs} ms\n` +
          wrong
            .slice(0, 20)
            .map((each) => `  ${each}\n`)
            .join(''),
      );
      await release.run('uninstall', '--wait');
      expect(reached).toBe('done');
      expect({ wrong, answered: Object.values(right).reduce((sum, each) => sum + each, 0) }).toEqual({
        wrong: [],
        answered: sent,
      });
      expect(sent).toBeGreaterThanOrEqual(REQUESTS);
    },
    TIMEOUT_MS + 300_000,
  );
}

async function everything(cluster: Cluster, release: Release, traffic: Traffic, firstCa: string): Promise<string> {
  const deployment = `deployment/${release.name}`;
  const kubectl = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await cluster.kubectl(['--namespace', release.namespace, ...args]);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  };
  const meanwhile = async (phase: string, happens: () => Promise<void>): Promise<void> => {
    const { sent, wrong } = traffic.tally();
    const startedAt = Date.now();
    traffic.phase(phase);
    await happens();
    await release.settled();
    const now = traffic.tally();
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
    process.stdout.write(
      `${phase}: ${seconds} s, ${now.sent - sent} sent, ${now.wrong.length - wrong.length} failed\n`,
    );
  };

  for (const turn of [1, 2, 3]) {
    await meanwhile(`rolling restart ${turn}`, () => kubectl('rollout', 'restart', deployment));
  }
  const backoffLimit = await backoffLimitChange(cluster);
  expect(await backoffLimit()).toBe(403);
  await meanwhile('helm upgrade to another policy', () =>
    release.upgrade({ policy: { allow: ['/metadata/labels', '/metadata/annotations', '/spec/runPolicy'] } }),
  );
  expect(await backoffLimit()).toBe(200);
  await meanwhile('helm rollback', async () => {
    expect(await release.run('rollback')).toMatchObject({ code: 0 });
  });
  expect(await backoffLimit()).toBe(403);
  await meanwhile('a pod deleted by force', async () => {
    const [pod = ''] = await release.pods();
    await kubectl('delete', 'pod', pod, '--force', '--grace-period=0');
  });
  await meanwhile('a drain that the budget blocks', () => drain(cluster, release));
  let ca = firstCa;
  for (const turn of [1, 2, 3]) {
    await meanwhile(`rotation ${turn}, to another authority`, async () => {
      const next = await issue(cluster, release.name, 100 + 100 * turn);
      await release.upgrade({ tls: { existingSecret: { caBundle: ca + next.ca } } });
      await next.store();
      await serves(cluster, release, next);
      await release.upgrade({ tls: { existingSecret: { caBundle: next.ca } } });
      ca = next.ca;
    });
  }
  return 'done';
}

/** Returns what changes, each time it is called, a field that the policy does not let change; and what that is answered. */
async function backoffLimitChange(cluster: Cluster): Promise<() => Promise<number>> {
  const job = await create(cluster, TF_JOB, jobNamed('backoff', TF_JOB));
  let backoffLimit = 0;
  return async () => (await mergePatch(cluster, job, { spec: { runPolicy: { backoffLimit: ++backoffLimit } } })).status;
}

/** Drains the only node: one pod goes and finds no other place, and so the budget keeps the second. */
async function drain(cluster: Cluster, release: Release): Promise<void> {
  const { stdout } = await cluster.kubectl(['get', 'nodes', '--output=json']);
  const node = String(at(JSON.parse(stdout), 'items', 0, 'metadata', 'name'));
  const selector = `--pod-selector=app.kubernetes.io/instance=${release.name}`;
  const drained = await cluster.kubectl(['drain', node, selector, '--ignore-daemonsets', '--timeout=40s']);
  expect(await cluster.kubectl(['uncordon', node])).toMatchObject({ code: 0 });
  expect(drained.stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget");
  expect(drained.code).toBe(1);
}
