import { create, jobNamed, mergePatch, TF_JOB } from '../apiserver/jobs.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import type { Cluster } from '../../tools/node/cluster.ts';
import { issue, serves, type Release, type Serving } from './release.ts';
import { IN_FLIGHT, type During } from './traffic.ts';

/** A release with a certificate from a Secret, and what it should outlive unnoticed. */
export interface Disturbed {
  readonly cluster: Cluster;
  readonly release: Release;
  readonly during: During;
}

/** Replaces every pod by a new one. */
export async function restart({ cluster, release, during }: Disturbed, turn: number): Promise<void> {
  await during(`rolling restart ${turn}`, () => kubectl(cluster, release, 'rollout', 'restart', 'deployment'));
}

/** Upgrades to a policy that allows more, and back; each has to be in force when its pods are ready. */
export async function changePolicy({ cluster, release, during }: Disturbed): Promise<void> {
  const metadata = { namespace: release.namespace };
  const job = await create(cluster, TF_JOB, jobNamed(`${release.name}-policy`, TF_JOB, { metadata }));
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    await cluster.request('DELETE', job);
  });
  const backoffLimit = async (limit: number, expected: number): Promise<void> => {
    const { status, text } = await mergePatch(cluster, job, { spec: { runPolicy: { backoffLimit: limit } } });
    if (status !== expected) throw new Error(`backoffLimit was answered with ${status}, not ${expected}: ${text}`);
  };
  await backoffLimit(1, 403);
  await during('helm upgrade to another policy', () =>
    release.upgrade({ policy: { allow: ['/metadata/labels', '/metadata/annotations', '/spec/runPolicy'] } }),
  );
  await backoffLimit(2, 200);
  await during('helm rollback', async () => {
    const { code, stderr } = await release.run('rollback');
    if (code !== 0) throw new Error(stderr);
  });
  await backoffLimit(3, 403);
}

/** Upgrades to a policy with a typing error, which the new pod refuses while the old ones go on, and back. */
export async function breakPolicy({ cluster, release, during }: Disturbed): Promise<void> {
  await during('helm upgrade to a policy that does not load, and back', async () => {
    const before = await release.pods();
    await release.upgrade({ policy: { allow: ['/metadata/labels', '/metadata/annotations', '/spec/runpolicy'] } });
    await eventually('a new pod to refuse the policy', async () => {
      const pods = await release.pods();
      const logs = await Promise.all(
        pods.filter((pod) => !before.includes(pod)).map((pod) => logsOf(cluster, release, pod)),
      );
      return logs.some((log) => log.includes('did you mean "/spec/runPolicy"?')) || undefined;
    });
    const kept = (await release.pods()).filter((pod) => before.includes(pod));
    if (kept.length !== before.length) throw new Error(`Of the pods ${before.join()} only ${kept.join()} are left`);
    const { code, stderr } = await release.run('rollback');
    if (code !== 0) throw new Error(stderr);
  });
}

async function logsOf(cluster: Cluster, { namespace }: Release, pod: string): Promise<string> {
  const { stdout } = await cluster.kubectl(['--namespace', namespace, 'logs', pod]);
  return stdout;
}

/**
 * Deletes a pod by force, and waits until it has been killed. That may lose what is under way in this moment, whatever a
 * program does: docs/operations.md says how often.
 */
export async function deleteByForce({ cluster, release, during }: Disturbed): Promise<void> {
  const happens = async (): Promise<void> => {
    const [pod = ''] = await release.pods();
    await kubectl(cluster, release, 'delete', 'pod', pod, '--force', '--grace-period=0');
    await eventually(`${pod} to be killed`, async () => !(await runningPods(cluster)).includes(pod) || undefined, {
      timeoutMs: 120_000,
      intervalMs: 250,
    });
  };
  await during('a pod deleted by force', happens, IN_FLIGHT);
}

/** Drains the only node: one pod goes and finds no other place, and so the budget keeps the second. */
export async function drain({ cluster, release, during }: Disturbed): Promise<void> {
  await during('a drain that the budget blocks', async () => {
    const node = await nodeOf(cluster);
    const selector = `--pod-selector=app.kubernetes.io/instance=${release.name}`;
    const drained = await cluster.kubectl(['drain', node, selector, '--ignore-daemonsets', '--timeout=20s']);
    await succeeding(cluster.kubectl(['uncordon', node]));
    const isBlocked = drained.stderr.includes("Cannot evict pod as it would violate the pod's disruption budget");
    if (drained.code !== 1 || !isBlocked) throw new Error(`The budget blocked nothing: ${drained.stderr}`);
  });
}

/** Goes over to a certificate of another authority, and returns it. */
export async function rotate({ cluster, release, during }: Disturbed, from: Serving, turn: number): Promise<Serving> {
  const next = await issue(cluster, release.name, 100 + 100 * turn);
  await during(`rotation ${turn}, to another authority`, async () => {
    await release.upgrade({ tls: { existingSecret: { caBundle: `${from.ca}\n${next.ca}` } } });
    await next.store();
    await serves(cluster, release, next);
    await release.upgrade({ tls: { existingSecret: { caBundle: next.ca } } });
  });
  return next;
}

async function nodeOf(cluster: Cluster): Promise<string> {
  return String(
    at(
      JSON.parse(await succeeding(cluster.kubectl(['get', 'nodes', '--output=json']))),
      'items',
      0,
      'metadata',
      'name',
    ),
  );
}

/** Returns the names of the pods that the kubelet runs, those included that the API server knows no longer. */
async function runningPods(cluster: Cluster): Promise<string[]> {
  const { status, text, json } = await cluster.request(
    'GET',
    `/api/v1/nodes/${await nodeOf(cluster)}/proxy/runningpods/`,
  );
  const items = at(json, 'items');
  if (!Array.isArray(items)) throw new Error(`The kubelet does not say what it runs: ${status} ${text}`);
  return items.map((item) => String(at(item, 'metadata', 'name')));
}

async function kubectl(cluster: Cluster, { namespace }: Release, ...args: readonly string[]): Promise<void> {
  await succeeding(cluster.kubectl(['--namespace', namespace, ...args]));
}

async function succeeding(finished: ReturnType<Cluster['kubectl']>): Promise<string> {
  const { code, stdout, stderr } = await finished;
  if (code !== 0) throw new Error(stderr);
  return stdout;
}
