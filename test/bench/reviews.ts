import type { JsonMap, JsonValue } from '../../src/core/json.ts';
import { withValue, without } from '../support/job.ts';

/** What the API server sends of one update, and what is to be answered. */
export interface Review {
  readonly title: string;
  readonly text: string;
  readonly allowed: boolean;
}

/** Names a size of a review, old and new object together. */
export type Size = (typeof SIZES)[number]['name'];

export const SIZES = [
  { name: '2 kB', bytes: 2_000 },
  { name: '16 kB', bytes: 16_000 },
  { name: '256 kB', bytes: 256_000 },
  { name: '1.5 MiB', bytes: 1.5 * 2 ** 20 },
] as const;

/** About what the API server takes at most: 1.5 MiB stored, 1.5 MiB requested. It is not timed, only tried. */
export const LARGEST_BYTES = 3 * 2 ** 20 - 10_000;

const WORKER = '/spec/tfReplicaSpecs/Worker';

/** Returns the updates that every contender has to judge rightly, the one that is timed first. */
export function reviewsOf(bytes: number): [Review, ...Review[]] {
  const job = jobFor(bytes);
  const allowed = (title: string, object: JsonMap): Review => reviewOf(title, job, object, true);
  const refused = (title: string, object: JsonMap): Review => reviewOf(title, job, object, false);
  const touched = withServerOwnedChanges(job);
  return [
    allowed('the five fields change', withFiveFieldsChanged(job)),
    allowed('nothing changes', job),
    allowed('a label is removed', without(touched, '/metadata/labels/team')),
    allowed('a deadline is removed', without(touched, '/spec/runPolicy/activeDeadlineSeconds')),
    refused('replicas', withValue(touched, `${WORKER}/replicas`, 3)),
    refused('the last variable of the last replica type', withLastVariableChanged(touched)),
    refused('the image, beside the five fields', withNewImage(withFiveFieldsChanged(job))),
    refused('a field is added', withValue(touched, '/spec/runPolicy/suspend', true)),
    refused('a field is removed', without(touched, '/spec/runPolicy/backoffLimit')),
    refused('a finalizer is added', withValue(touched, '/metadata/finalizers', ['example.com/keep'])),
    refused('a replica type is removed', without(touched, WORKER)),
  ];
}

/** Returns the update that is timed: all five fields, and what the server itself changes with them. */
export function timedReview(bytes: number): Review {
  return reviewsOf(bytes)[0];
}

/** Returns an update of the same size that is refused. */
export function refusedReview(bytes: number): Review {
  const job = jobFor(bytes);
  return reviewOf('the image', job, withNewImage(withFiveFieldsChanged(job)), false);
}

/** Writes the AdmissionReview of an update as the API server does, every field of the request included. */
export function reviewOf(title: string, oldObject: JsonMap, object: JsonMap, allowed: boolean): Review {
  const gvk = { group: 'kubeflow.org', version: 'v1', kind: 'TFJob' };
  const resource = { group: 'kubeflow.org', version: 'v1', resource: 'tfjobs' };
  const options = { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-edit' };
  const request = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    ...{ kind: gvk, resource, requestKind: gvk, requestResource: resource },
    ...{ name: 'mnist', namespace: 'research', operation: 'UPDATE' },
    userInfo: { username: 'jane', uid: '42', groups: ['ml-engineers', 'system:authenticated'] },
    ...{ object, oldObject, dryRun: false, options },
  };
  const text = JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request });
  return { title, text, allowed };
}

function withFiveFieldsChanged(job: JsonMap): JsonMap {
  const changes: [string, JsonValue][] = [
    ['/metadata/labels/stage', 'production'],
    ['/metadata/annotations/note', 'second run'],
    ['/spec/runPolicy/activeDeadlineSeconds', 7200],
    ['/spec/runPolicy/cleanPodPolicy', 'Running'],
    ['/spec/runPolicy/ttlSecondsAfterFinished', 1200],
  ];
  return changes.reduce((object, [pointer, value]) => withValue(object, pointer, value), withServerOwnedChanges(job));
}

function withServerOwnedChanges(job: JsonMap): JsonMap {
  return withValue(withValue(job, '/metadata/generation', 2), '/metadata/managedFields/0/time', '2026-01-02T03:04:05Z');
}

function withNewImage(job: JsonMap): JsonMap {
  return withValue(job, `${WORKER}/template/spec/containers/0/image`, 'registry.example.com/mnist:v2');
}

function withLastVariableChanged(job: JsonMap): JsonMap {
  return withValue(job, `${WORKER}/template/spec/containers/0/env/0/value`, 'changed');
}

/** Makes the job whose review comes to a number of bytes: a fixed frame, and variables in its containers to fill it. */
export function jobFor(bytes: number): JsonMap {
  const types = bytes < 10_000 ? ['Worker'] : ['PS', 'Chief', 'Worker'];
  const sizeWith = (count: number): number => {
    const job = jobWith(types, count);
    return reviewOf('', job, job, true).text.length;
  };
  const frame = sizeWith(1);
  const variable = (sizeWith(11) - frame) / 10;
  return jobWith(types, Math.max(1, 1 + Math.floor((bytes - frame) / variable)));
}

/** Makes a job with environment variables, numbered from `first` on, in the container of each replica type. */
export function jobWith(types: readonly string[], variables: number, first = 0): JsonMap {
  const env = Array.from({ length: variables }, (_, index) => variable(first + index));
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: 'TFJob',
    metadata: {
      name: 'mnist',
      namespace: 'research',
      uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff',
      resourceVersion: '4711',
      generation: 1,
      creationTimestamp: '2026-01-01T08:00:00Z',
      labels: { team: 'vision', stage: 'trial' },
      annotations: { note: 'first run' },
      managedFields: [managedFields(types)],
    },
    spec: {
      runPolicy: { activeDeadlineSeconds: 3600, backoffLimit: 3, cleanPodPolicy: 'None', ttlSecondsAfterFinished: 600 },
      tfReplicaSpecs: Object.fromEntries(types.map((type) => [type, replicas(env)])),
    },
  };
}

/** As different as real ones: some short, some long, some numbers in text. */
function variable(index: number): JsonMap {
  const name = `TRAINING_OPTION_${String(index).padStart(5, '0')}`;
  return { name, value: index % 3 === 0 ? String(index * 7919) : `gs://datasets/mnist/part-${index}` };
}

function replicas(env: readonly JsonMap[]): JsonMap {
  return {
    replicas: 2,
    restartPolicy: 'OnFailure',
    template: {
      spec: {
        containers: [
          {
            name: 'tensorflow',
            image: 'registry.example.com/mnist:v1',
            command: ['python', 'train.py'],
            env: [...env],
            resources: { limits: { cpu: '4', memory: '16Gi' } },
          },
        ],
      },
    },
  };
}

function managedFields(types: readonly string[]): JsonMap {
  return {
    manager: 'kubectl-create',
    operation: 'Update',
    apiVersion: 'kubeflow.org/v1',
    time: '2026-01-01T08:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:spec': { 'f:tfReplicaSpecs': Object.fromEntries(types.map((type) => [`f:${type}`, { '.': {} }])) },
    },
  };
}
