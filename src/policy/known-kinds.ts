import { resourceName } from '../core/resource-name.ts';

/** A kind that people train with: where its parts are, so that a policy need only name it. */
export interface KnownKind {
  readonly group: string;
  readonly resource: string;
  /** JSON Pointers. */
  readonly podTemplates: readonly string[];
  /** null where the kind has no `/scale`. */
  readonly scaleReplicasPath: string | null;
  readonly suspendPath: string;
  /** What everybody may change there, beside the policy's own `allow`. */
  readonly allow: readonly string[];
  /** Maps whose keys are a fixed set: by the JSON Pointer of the map its keys, in the operator's own spelling. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** Fields of `spec` that other versions of the kind have than the one whose Go types are known. */
  readonly otherSpecFields: readonly string[];
}

/** Fields of `runPolicy` that generations of the API until 2021 keep in `spec`. Source: tf-operator v1.0 types.go. */
const EARLIER_SPEC_FIELDS: readonly string[] = [
  'activeDeadlineSeconds',
  'backoffLimit',
  'cleanPodPolicy',
  'schedulingPolicy',
  'ttlSecondsAfterFinished',
];

/** Kinds of training-operator v1, each with one map of replica specs and its policy in `spec.runPolicy`. */
function kubeflowKind(
  resource: string,
  replicaSpecs: string,
  replicaTypes: readonly string[],
  hasScale = false,
): KnownKind {
  return {
    group: 'kubeflow.org',
    resource,
    podTemplates: [`/spec/${replicaSpecs}/*/template`],
    scaleReplicasPath: hasScale ? `/spec/${replicaSpecs}/Worker/replicas` : null,
    suspendPath: '/spec/runPolicy/suspend',
    allow: [],
    keys: { [`/spec/${replicaSpecs}`]: replicaTypes },
    otherSpecFields: EARLIER_SPEC_FIELDS,
  };
}

/** Every known kind; the default policy guards the first two. */
export const KNOWN_KINDS: readonly KnownKind[] = [
  // Source: kubeflow/training-operator v1.9.4 pkg/apis/kubeflow.org/v1/*_types.go.
  kubeflowKind('tfjobs', 'tfReplicaSpecs', ['PS', 'Worker', 'Chief', 'Master', 'Evaluator']),
  kubeflowKind('pytorchjobs', 'pytorchReplicaSpecs', ['Master', 'Worker'], true),
  kubeflowKind('mpijobs', 'mpiReplicaSpecs', ['Launcher', 'Worker']),
  kubeflowKind('xgboostjobs', 'xgbReplicaSpecs', ['Master', 'Worker']),
  kubeflowKind('paddlejobs', 'paddleReplicaSpecs', ['Master', 'Worker'], true),
  kubeflowKind('jaxjobs', 'jaxReplicaSpecs', ['Worker'], true),
  // Source: kubeflow/trainer v2.3.0 pkg/apis/trainer/v1alpha1/trainjob_types.go; its mutating webhook writes `time` in
  // the name of whoever updates the job: pkg/webhooks/trainjob_webhook.go.
  {
    group: 'trainer.kubeflow.org',
    resource: 'trainjobs',
    podTemplates: [],
    scaleReplicasPath: null,
    suspendPath: '/spec/suspend',
    allow: ['/spec/runtimePatches/*/time'],
    keys: {},
    // Trainer 2.0 has podSpecOverrides, 2.1 podTemplateOverrides in place of runtimePatches; some have a TTL.
    otherSpecFields: ['podSpecOverrides', 'podTemplateOverrides', 'ttlSecondsAfterFinished'],
  },
  // Source: k8s.io/api batch/v1/types.go.
  {
    group: 'batch',
    resource: 'jobs',
    podTemplates: ['/spec/template'],
    scaleReplicasPath: null,
    suspendPath: '/spec/suspend',
    allow: [],
    keys: {},
    otherSpecFields: [],
  },
  // Source: kubernetes-sigs/jobset v0.12.0 api/jobset/v1alpha2/jobset_types.go.
  {
    group: 'jobset.x-k8s.io',
    resource: 'jobsets',
    podTemplates: ['/spec/replicatedJobs/*/template/spec/template'],
    scaleReplicasPath: null,
    suspendPath: '/spec/suspend',
    allow: [],
    keys: {},
    otherSpecFields: [],
  },
  // Source: ray-project/kuberay v1.7 ray-operator/apis/ray/v1/rayjob_types.go, raycluster_types.go.
  {
    group: 'ray.io',
    resource: 'rayjobs',
    podTemplates: [
      '/spec/rayClusterSpec/headGroupSpec/template',
      '/spec/rayClusterSpec/workerGroupSpecs/*/template',
      '/spec/submitterPodTemplate',
    ],
    scaleReplicasPath: null,
    suspendPath: '/spec/suspend',
    allow: [],
    keys: {},
    otherSpecFields: [],
  },
];

const BY_NAME = new Map(KNOWN_KINDS.map((kind) => [resourceName(kind.group, kind.resource), kind]));

/** Returns what is known of a kind by its group and plural; undefined where nothing is. */
export function knownKind(group: string, resource: string): KnownKind | undefined {
  return BY_NAME.get(resourceName(group, resource));
}

/**
 * What else the groups of the known kinds have, so that it is no typing error.
 *
 * Sources: kubeflow/training-operator v1.8 manifests/base/crds; kubeflow/katib v0.18 manifests/v1beta1/components/crd;
 * kubeflow/notebooks v1.10, kubeflow/pipelines v2 (their CRDs); kubeflow/trainer v2.3 manifests/base/crds; k8s.io/api
 * batch/v1; ray-project/kuberay v1.7 helm-chart/kuberay-operator/crds.
 */
const OTHER_PLURALS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'kubeflow.org',
    [
      'mxjobs',
      ...['experiments', 'suggestions', 'trials'],
      ...['notebooks', 'poddefaults', 'profiles', 'pvcviewers'],
      ...['scheduledworkflows', 'viewers'],
    ],
  ],
  ['trainer.kubeflow.org', ['clustertrainingruntimes', 'trainingruntimes']],
  ['batch', ['cronjobs']],
  ['ray.io', ['raycronjobs', 'rayclusters', 'rayservices']],
]);

/** Returns the plural names of a group's known kinds. */
export function knownPluralsOf(group: string): readonly string[] {
  return KNOWN_KINDS.filter((kind) => kind.group === group).map(({ resource }) => resource);
}

/** Returns the plural names that a group is known to have: none of a group that has no known kind. */
export function pluralsOf(group: string): readonly string[] {
  return [...knownPluralsOf(group), ...(OTHER_PLURALS.get(group) ?? [])];
}
