import type { Cluster } from '../../tools/node/cluster.ts';
import { at } from '../../tools/json-at.ts';
import type { Release } from './release.ts';

/** The limit that the chart sets, in MiB. */
export const MEMORY_LIMIT_MIB = 768;

/** What the container of a pod took. */
export interface Resources {
  /** From the container's start to the pod's readiness. Kubernetes tells both in whole seconds. */
  readonly startToReadyS: number;
  /** The most memory that it ever had, page cache included. */
  readonly peakMemoryMib: number;
  readonly restarts: number;
}

/** Measures every pod of a release, as the kubelet counts. */
export async function resourcesOf(cluster: Cluster, release: Release): Promise<Resources[]> {
  return Promise.all((await release.pods()).map((pod) => resourcesOfPod(cluster, release, pod)));
}

async function resourcesOfPod(cluster: Cluster, { namespace }: Release, pod: string): Promise<Resources> {
  const { json } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`);
  const status = at(json, 'status');
  const startedAt = at(status, 'containerStatuses', 0, 'state', 'running', 'startedAt');
  const conditions = at(status, 'conditions');
  const ready = Array.isArray(conditions) ? conditions.findIndex((each) => at(each, 'type') === 'Ready') : -1;
  const readyAt = at(conditions, ready, 'lastTransitionTime');
  const node = String(at(json, 'spec', 'nodeName'));
  const { text } = await cluster.request('GET', `/api/v1/nodes/${node}/proxy/metrics/cadvisor`);
  const peak = text
    .split('\n')
    .find((line) => line.startsWith('container_memory_max_usage_bytes{container="jobguard"') && line.includes(pod));
  return {
    startToReadyS: (Date.parse(String(readyAt)) - Date.parse(String(startedAt))) / 1000,
    peakMemoryMib: Math.round(Number(/\} (\S+)/.exec(peak ?? '')?.[1]) / 2 ** 20),
    restarts: Number(at(status, 'containerStatuses', 0, 'restartCount')),
  };
}
