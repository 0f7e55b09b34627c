import { parsePointer } from '../../src/core/path.ts';
import { isMap, type JsonMap, type JsonValue } from '../../src/core/json.ts';

/** A TFJob as the operator's releases since 1.3 keep it: with a run policy. */
export const TF_JOB: JsonMap = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'TFJob',
  metadata: {
    name: 'mnist',
    namespace: 'research',
    uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff',
    resourceVersion: '4711',
    generation: 1,
    creationTimestamp: '2024-05-01T08:00:00Z',
    labels: { team: 'vision', stage: 'trial' },
    annotations: { note: 'first run', contact: 'vision@example.com' },
    managedFields: [{ manager: 'kubectl', operation: 'Update', apiVersion: 'kubeflow.org/v1' }],
  },
  spec: {
    runPolicy: {
      activeDeadlineSeconds: 3600,
      backoffLimit: 3,
      cleanPodPolicy: 'None',
      suspend: false,
      ttlSecondsAfterFinished: 600,
      schedulingPolicy: { queue: 'default', minAvailable: 2 },
    },
    tfReplicaSpecs: {
      PS: {
        replicas: 1,
        restartPolicy: 'Never',
        template: { spec: { containers: [{ name: 'tensorflow', image: 'registry.example.com/mnist:v1' }] } },
      },
      Worker: {
        replicas: 2,
        restartPolicy: 'OnFailure',
        template: {
          metadata: { labels: { role: 'worker' } },
          spec: {
            containers: [
              {
                name: 'tensorflow',
                image: 'registry.example.com/mnist:v1',
                command: ['python'],
                args: ['train.py', '--epochs=3'],
                env: [{ name: 'TOKEN', value: 'hunter2' }],
                resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
                volumeMounts: [{ name: 'data', mountPath: '/data' }],
              },
              { name: 'sidecar', image: 'registry.example.com/sidecar:v1' },
            ],
            nodeSelector: { zone: 'a' },
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'mnist-data' } }],
          },
        },
      },
    },
  },
  status: { conditions: [{ type: 'Created', status: 'True' }], replicaStatuses: { Worker: { active: 2 } } },
};

/** A PyTorchJob, elastic and hence scaled by an autoscaler. */
export const PYTORCH_JOB: JsonMap = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'PyTorchJob',
  metadata: { name: 'bert', namespace: 'research', uid: '7d793037-a076-4b1c-8b2e-0c4a3b5f9d11' },
  spec: {
    elasticPolicy: { minReplicas: 1, maxReplicas: 4 },
    runPolicy: { cleanPodPolicy: 'None', suspend: true },
    pytorchReplicaSpecs: {
      Worker: {
        replicas: 2,
        restartPolicy: 'OnFailure',
        template: { spec: { containers: [{ name: 'pytorch', image: 'registry.example.com/bert:v1' }] } },
      },
    },
  },
};

/**
 * Returns a copy of `object` with the value at a JSON Pointer set; maps that are missing on the way are made.
 * Below a list the last segment may be `-`: it appends, as in a JSON Patch.
 */
export function withValue(object: JsonMap, pointer: string, value: JsonValue): JsonMap {
  return edit(object, pointer, () => value);
}

/** Returns a copy of `object` without what stands at a JSON Pointer. */
export function without(object: JsonMap, pointer: string): JsonMap {
  return edit(object, pointer, () => undefined);
}

/** Applies a JSON merge patch (RFC 7396), as `kubectl patch --type=merge` has the API server do. */
export function mergePatched(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isMap(patch)) return patch;
  const merged = new Map(isMap(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatched(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

type Replace = () => JsonValue | undefined;

function edit(object: JsonMap, pointer: string, replace: Replace): JsonMap {
  const edited = editAt(object, parsePointer(pointer) ?? [], replace);
  if (!isMap(edited)) throw new Error(`"${pointer}" replaces the whole object`);
  return edited;
}

function editAt(node: JsonValue, path: readonly string[], replace: Replace): JsonValue | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return replace();
  if (Array.isArray(node)) {
    const index = segment === '-' ? node.length : Number(segment);
    const item = editAt(node[index] ?? {}, rest, replace);
    return node.toSpliced(index, 1, ...(item === undefined ? [] : [item]));
  }
  const entries = new Map(isMap(node) ? Object.entries(node) : []);
  const value = editAt(entries.get(segment) ?? {}, rest, replace);
  if (value === undefined) entries.delete(segment);
  else entries.set(segment, value);
  return Object.fromEntries(entries);
}
