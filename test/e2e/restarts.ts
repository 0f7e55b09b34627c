import { expect, test } from '@jest/globals';
import type { Cluster } from '../../tools/node/cluster.ts';
import { create, jobNamed, mergePatch, TF_JOB } from '../apiserver/jobs.ts';
import { at } from '../../tools/json-at.ts';
import { install, issue, SECRET, serves, type Release } from './release.ts';
import { MEMORY_LIMIT_MIB, resourcesOf } from './resources.ts';
import { GUARDED_TRAFFIC, meanwhile, startTraffic, type Traffic } from './traffic.ts';

const REQUESTS = 20_000;
const PER_SECOND = 100;
const NAME = 'jobguard-restarts';
/** Four times as long as the requests take on a machine that has nothing else to do. */
const TIMEOUT_MS = 4 * (REQUESTS / PER_SECOND) * 1000;

/** What users never notice. */
export function restartsNobodyNotices(cluster: () => Cluster): void {
  test(
    `0 of ${REQUESTS} updates fail over restarts, upgrades, evictions and rotations`,
    async () => {
      const first = await issue(cluster(), NAME, 100);
      await cluster().kubectl(['create', 'namespace', NAME]);
      await first.store();
      await using release = await install(cluster(), NAME, {
        tls: { mode: 'existingSecret', existingSecret: { name: SECRET, caBundle: first.ca } },
      });
      await using traffic = await startTraffic(cluster(), {
        prefix: NAME,
        kinds: GUARDED_TRAFFIC,
        perSecond: PER_SECOND,
      });
      await everything(cluster(), release, traffic, first.ca);
      traffic.phase('afterwards');
      const { sent, right, wrong, slowestMs, perSecond } = await traffic.finish(REQUESTS);
      const resources = await resourcesOf(cluster(), release);
      say(
        `${sent} PATCHes, ${perSecond} a second, ${JSON.stringify(right)}, ${wrong.length} failed, slowest ${slowestMs} ms`,
        ...wrong.slice(0, 20),
        `pods: ${JSON.stringify(resources)}, memory limit ${MEMORY_LIMIT_MIB} MiB`,
      );
      expect({ wrong, answered: Object.values(right).reduce((sum, each) => sum + each, 0) }).toEqual({
        wrong: [],
        answered: sent,
      });
      expect(sent).toBeGreaterThanOrEqual(REQUESTS);
      for (const { startToReadyS, peakMemoryMib, restarts } of resources) {
        expect(startToReadyS).toBeLessThanOrEqual(10);
        expect(peakMemoryMib).toBeLessThan(MEMORY_LIMIT_MIB);
        expect(restarts).toBe(0);
      }
    },
    TIMEOUT_MS,
  );
}

/** Does to a release all that it should outlive unnoticed, and prints what became of the requests meanwhile. */
async function everything(cluster: Cluster, release: Release, traffic: Traffic, firstCa: string): Promise<void> {
  const during = meanwhile(traffic, release);
  for (const turn of [1, 2, 3]) {
    await during(`rolling restart ${turn}`, () => kubectl(cluster, release, 'rollout', 'restart', 'deployment'));
  }
  await changeOfPolicy(cluster, release, during);
  await during('a pod deleted by force', async () => {
    const [pod = ''] = await release.pods();
    await kubectl(cluster, release, 'delete', 'pod', pod, '--force', '--grace-period=0');
  });
  await during('a drain that the budget blocks', () => drain(cluster, release));
  let ca = firstCa;
  for (const turn of [1, 2, 3]) {
    await during(`rotation ${turn}, to another authority`, async () => {
      const next = await issue(cluster, release.name, 100 + 100 * turn);
      await release.upgrade({ tls: { existingSecret: { caBundle: `${ca}\n${next.ca}` } } });
      await next.store();
      await serves(cluster, release, next);
      await release.upgrade({ tls: { existingSecret: { caBundle: next.ca } } });
      ca = next.ca;
    });
  }
}

async function kubectl(cluster: Cluster, { namespace }: Release, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await cluster.kubectl(['--namespace', namespace, ...args]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

/** Upgrades to a policy that allows more, and back; each has to be in force when its pods are ready. */
async function changeOfPolicy(cluster: Cluster, release: Release, during: ReturnType<typeof meanwhile>): Promise<void> {
  const job = await create(cluster, TF_JOB, jobNamed(`${release.name}-policy`, TF_JOB));
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    await cluster.request('DELETE', job);
  });
  const backoffLimit = async (limit: number): Promise<number> =>
    (await mergePatch(cluster, job, { spec: { runPolicy: { backoffLimit: limit } } })).status;
  expect(await backoffLimit(1)).toBe(403);
  await during('helm upgrade to another policy', () =>
    release.upgrade({ policy: { allow: ['/metadata/labels', '/metadata/annotations', '/spec/runPolicy'] } }),
  );
  expect(await backoffLimit(2)).toBe(200);
  await during('helm rollback', async () => {
    expect(await release.run('rollback')).toMatchObject({ code: 0 });
  });
  expect(await backoffLimit(3)).toBe(403);
}

/** Drains the only node: one pod goes and finds no other place, and so the budget keeps the second. */
async function drain(cluster: Cluster, release: Release): Promise<void> {
  const { stdout } = await cluster.kubectl(['get', 'nodes', '--output=json']);
  const node = String(at(JSON.parse(stdout), 'items', 0, 'metadata', 'name'));
  const selector = `--pod-selector=app.kubernetes.io/instance=${release.name}`;
  const drained = await cluster.kubectl(['drain', node, selector, '--ignore-daemonsets', '--timeout=20s']);
  expect(await cluster.kubectl(['uncordon', node])).toMatchObject({ code: 0 });
  expect(drained.stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget");
  expect(drained.code).toBe(1);
}

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n  ')}\n`);
}
