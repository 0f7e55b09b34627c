import type { Path } from './path.ts';

/** A kind of protected field, coarse enough to be a metric's label. */
export type FieldClass = (typeof FIELD_CLASSES)[number];

export const FIELD_CLASSES = [
  'command',
  'containers',
  'env',
  'image',
  'metadata',
  'other',
  'replicas',
  'resources',
  'restart_policy',
  'run_policy',
  'scheduling',
  'security',
  'volumes',
] as const;

/** By the first field on the way down that is in the table. Names: k8s.io/api core/v1/types.go, training-operator v1. */
const CLASS_OF_FIELD: ReadonlyMap<string, FieldClass> = new Map([
  ['metadata', 'metadata'],
  ['runPolicy', 'run_policy'],
  ['backoffLimit', 'run_policy'],
  ['replicas', 'replicas'],
  ['elasticPolicy', 'replicas'],
  ['nprocPerNode', 'replicas'],
  ['image', 'image'],
  ['command', 'command'],
  ['args', 'command'],
  ['workingDir', 'command'],
  ['env', 'env'],
  ['envFrom', 'env'],
  ['resources', 'resources'],
  ['restartPolicy', 'restart_policy'],
  ['volumes', 'volumes'],
  ['volumeMounts', 'volumes'],
  ['volumeDevices', 'volumes'],
  ['nodeSelector', 'scheduling'],
  ['nodeName', 'scheduling'],
  ['affinity', 'scheduling'],
  ['tolerations', 'scheduling'],
  ['schedulerName', 'scheduling'],
  ['schedulingGates', 'scheduling'],
  ['priorityClassName', 'scheduling'],
  ['topologySpreadConstraints', 'scheduling'],
  ['securityContext', 'security'],
  ['serviceAccountName', 'security'],
  ['serviceAccount', 'security'],
]);

/** Returns the class of a changed field: a container that came or went is `containers`, its image is `image`. */
export function fieldClass(path: Path): FieldClass {
  for (const segment of path) {
    const found = CLASS_OF_FIELD.get(String(segment));
    if (found !== undefined) return found;
  }
  return path.some((segment) => CONTAINER_LISTS.has(segment)) ? 'containers' : 'other';
}

const CONTAINER_LISTS: ReadonlySet<string | number> = new Set(['containers', 'initContainers']);
