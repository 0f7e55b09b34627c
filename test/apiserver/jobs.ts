import type { Answer, Call, ControlPlane, Username } from '../../tools/kubernetes/control-plane.ts';

/** What differs between the kinds of jobs. */
export interface JobKind {
  readonly kind: 'TFJob' | 'PyTorchJob';
  readonly plural: string;
  readonly replicaSpecs: string;
  readonly firstReplica: string;
  readonly container: string;
}

export const TF_JOB: JobKind = {
  kind: 'TFJob',
  plural: 'tfjobs',
  replicaSpecs: 'tfReplicaSpecs',
  firstReplica: 'PS',
  container: 'tensorflow',
};
export const PYTORCH_JOB: JobKind = {
  kind: 'PyTorchJob',
  plural: 'pytorchjobs',
  replicaSpecs: 'pytorchReplicaSpecs',
  firstReplica: 'Master',
  container: 'pytorch',
};

/** The place of a resource in the API: `/apis/kubeflow.org/v1/namespaces/default/tfjobs`. */
export function collection({ plural }: JobKind, namespace = 'default'): string {
  return `/apis/kubeflow.org/v1/namespaces/${namespace}/${plural}`;
}

/** Returns a job that every generation takes: one replica of the first type, two workers; `spec` adds to it. */
export function jobNamed(name: string, of: JobKind, { metadata = {}, spec = {} } = {}): Job {
  const template = {
    spec: {
      containers: [
        {
          name: of.container,
          image: 'train:v1',
          args: ['--epochs', '3'],
          env: [{ name: 'TOKEN', value: 'secret' }],
          resources: { limits: { cpu: '2', memory: '4Gi' } },
        },
      ],
    },
  };
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: of.kind,
    metadata: { name, namespace: 'default', ...metadata },
    spec: {
      [of.replicaSpecs]: {
        [of.firstReplica]: { replicas: 1, restartPolicy: 'OnFailure', template },
        Worker: { replicas: 2, restartPolicy: 'OnFailure', template },
      },
      ...spec,
    },
  };
}

export interface Job {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Creates a job, refuses to go on without it, and returns its path in the API. */
export async function create(cluster: Pick<ControlPlane, 'request'>, of: JobKind, job: Job): Promise<string> {
  const path = collection(of, String(job.metadata['namespace']));
  const answer = await cluster.request('POST', path, { body: job });
  if (answer.status !== 201) throw new Error(`The ${of.kind} could not be created: ${answer.text}`);
  return `${path}/${String(job.metadata['name'])}`;
}

/** Sends a JSON merge patch. */
export async function mergePatch(
  cluster: Pick<ControlPlane, 'request'>,
  path: string,
  body: Call['body'],
  as?: Username,
): Promise<Answer> {
  const contentType = 'application/merge-patch+json';
  return cluster.request('PATCH', path, { contentType, body, ...(as === undefined ? {} : { as }) });
}

/** A merge patch of the number of workers, which nobody may change. */
export function workers({ replicaSpecs }: JobKind, replicas: number): { spec: object } {
  return { spec: { [replicaSpecs]: { Worker: { replicas } } } };
}
