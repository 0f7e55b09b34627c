/** A kind of job that Kueue queues, with an object of it whose pods ask for one CPU each. */
export interface QueuedKind {
  readonly kind: string;
  readonly plural: string;
  readonly apiVersion: string;
  readonly spec: object;
  /** Where Kueue suspends it. */
  readonly suspend: readonly string[];
  /** Where Kueue writes the node selector of the flavor it has chosen. */
  readonly nodeSelector: readonly (string | number)[];
}

const CONTAINER = { image: 'train:v1', resources: { requests: { cpu: '1' } } };

function podTemplate(name: string): object {
  return { spec: { restartPolicy: 'Never', containers: [{ name, ...CONTAINER }] } };
}

function trainingJob(kind: string, replicaSpecs: string, first: string, container: string): QueuedKind {
  const replica = { replicas: 1, template: podTemplate(container) };
  const plural = `${kind.toLowerCase()}s`;
  return {
    kind,
    plural,
    apiVersion: 'kubeflow.org/v1',
    spec: { [replicaSpecs]: { [first]: replica, Worker: replica } },
    suspend: ['spec', 'runPolicy', 'suspend'],
    nodeSelector: ['spec', replicaSpecs, 'Worker', 'template', 'spec', 'nodeSelector'],
  };
}

export const BATCH_JOB: QueuedKind = {
  kind: 'Job',
  plural: 'jobs',
  apiVersion: 'batch/v1',
  spec: { parallelism: 2, completions: 2, template: podTemplate('main') },
  suspend: ['spec', 'suspend'],
  nodeSelector: ['spec', 'template', 'spec', 'nodeSelector'],
};

const JOB_SET: QueuedKind = {
  kind: 'JobSet',
  plural: 'jobsets',
  apiVersion: 'jobset.x-k8s.io/v1alpha2',
  spec: {
    replicatedJobs: [
      { name: 'workers', replicas: 2, template: { spec: { parallelism: 1, template: podTemplate('main') } } },
    ],
  },
  suspend: ['spec', 'suspend'],
  nodeSelector: ['spec', 'replicatedJobs', 0, 'template', 'spec', 'template', 'spec', 'nodeSelector'],
};

const TRAIN_JOB: QueuedKind = {
  kind: 'TrainJob',
  plural: 'trainjobs',
  apiVersion: 'trainer.kubeflow.org/v1alpha1',
  spec: { runtimeRef: { kind: 'TrainingRuntime', name: 'plain' }, trainer: { image: 'train:v1', numNodes: 2 } },
  suspend: ['spec', 'suspend'],
  nodeSelector: [
    ...['spec', 'runtimePatches', 0, 'trainingRuntimeSpec', 'template', 'spec', 'replicatedJobs', 0],
    ...['template', 'spec', 'template', 'spec', 'nodeSelector'],
  ],
};

/** What a TrainJob refers to. */
export const TRAINING_RUNTIME = {
  apiVersion: 'trainer.kubeflow.org/v1alpha1',
  kind: 'TrainingRuntime',
  metadata: { name: 'plain' },
  spec: {
    mlPolicy: { numNodes: 2 },
    template: {
      spec: {
        replicatedJobs: [
          {
            name: 'node',
            template: {
              metadata: { labels: { 'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer' } },
              spec: { template: podTemplate('node') },
            },
          },
        ],
      },
    },
  },
};

export const QUEUED_KINDS: readonly QueuedKind[] = [
  trainingJob('TFJob', 'tfReplicaSpecs', 'Chief', 'tensorflow'),
  trainingJob('PyTorchJob', 'pytorchReplicaSpecs', 'Master', 'pytorch'),
  BATCH_JOB,
  JOB_SET,
  TRAIN_JOB,
];
