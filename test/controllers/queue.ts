import type { ControlPlane } from '../../tools/kubernetes/control-plane.ts';

const KUEUE_API = '/apis/kueue.x-k8s.io/v1beta2';

/** What Kueue writes into the pod templates of the jobs that it starts. */
export const NODE_SELECTOR = { pool: 'gpu' };
export const QUEUE = 'team';

const FLAVOR = {
  apiVersion: 'kueue.x-k8s.io/v1beta2',
  kind: 'ResourceFlavor',
  metadata: { name: 'gpu' },
  spec: { nodeLabels: NODE_SELECTOR, tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }] },
};

/** A queue of one namespace. */
export interface Queue {
  /** Has Kueue suspend every running job of the queue, or start them again. */
  readonly stop: (stopped: boolean) => Promise<void>;
}

/** Makes a queue with room for as many CPUs in a namespace. */
export async function createQueue(cluster: ControlPlane, namespace: string, cpus: number): Promise<Queue> {
  await cluster.request('POST', `${KUEUE_API}/resourceflavors`, { body: FLAVOR });
  await create(cluster, `${KUEUE_API}/clusterqueues`, {
    apiVersion: 'kueue.x-k8s.io/v1beta2',
    kind: 'ClusterQueue',
    metadata: { name: namespace },
    spec: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceGroups: [
        {
          coveredResources: ['cpu'],
          flavors: [{ name: FLAVOR.metadata.name, resources: [{ name: 'cpu', nominalQuota: cpus }] }],
        },
      ],
    },
  });
  await create(cluster, `${KUEUE_API}/namespaces/${namespace}/localqueues`, {
    apiVersion: 'kueue.x-k8s.io/v1beta2',
    kind: 'LocalQueue',
    metadata: { name: QUEUE },
    spec: { clusterQueue: namespace },
  });
  return {
    stop: async (stopped) => {
      const contentType = 'application/merge-patch+json';
      const body = { spec: { stopPolicy: stopped ? 'HoldAndDrain' : 'None' } };
      const answer = await cluster.request('PATCH', `${KUEUE_API}/clusterqueues/${namespace}`, { contentType, body });
      if (answer.status !== 200) throw new Error(answer.text);
    },
  };
}

/** Creates an object. */
export async function create(cluster: ControlPlane, path: string, body: object): Promise<void> {
  const { status, text } = await cluster.request('POST', path, { body });
  if (status !== 201) throw new Error(`POST ${path}: ${text}`);
}
