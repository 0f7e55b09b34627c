import type { Cluster } from '../../tools/node/cluster.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { isReady, type Release } from './release.ts';

/** Returns what pods of a release have logged. */
export async function logs(cluster: Cluster, { namespace }: Release, pods: readonly string[]): Promise<string> {
  const each = pods.map(async (pod) => (await cluster.kubectl(['--namespace', namespace, 'logs', pod])).stdout);
  return (await Promise.all(each)).join('');
}

/** Waits until one of the pods, by default of any there are, has logged something. */
export async function logged(
  cluster: Cluster,
  release: Release,
  text: string,
  pods?: readonly string[],
): Promise<void> {
  await eventually(
    `a log line: ${text}`,
    async () => ((await logs(cluster, release, pods ?? (await release.pods()))).includes(text) ? true : undefined),
    { timeoutMs: 120_000, intervalMs: 1000 },
  );
}

/** Waits for a pod that is not one of those. */
export async function newPod(release: Release, before: readonly string[]): Promise<string> {
  return eventually('a new pod', async () => (await release.pods()).find((pod) => !before.includes(pod)));
}

/** Waits until pods have addresses. */
export async function addressesOf(
  cluster: Cluster,
  { namespace }: Release,
  pods: readonly string[],
): Promise<string[]> {
  const address = (pod: string): Promise<string> =>
    eventually(`an address of ${pod}`, async () => {
      const { json } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`);
      const found = at(json, 'status', 'podIP');
      return typeof found === 'string' ? found : undefined;
    });
  return Promise.all(pods.map(address));
}

/** Returns the pods of a release that are ready. */
export async function readyPods(cluster: Cluster, { namespace }: Release, pods: readonly string[]): Promise<string[]> {
  const readiness = pods.map(async (pod) => {
    const { json } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`);
    return isReady(json);
  });
  const isOne = await Promise.all(readiness);
  return pods.filter((_pod, index) => isOne[index]);
}
