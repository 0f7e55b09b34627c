/** Every preset, in the order in which they are tried and printed. */
export const PRESET_NAMES = ['garbageCollector', 'kueue', 'horizontalPodAutoscaler', 'flyte'] as const;

export type PresetName = (typeof PRESET_NAMES)[number];

/** A writer that many clusters run, and what it has to change to do its work. */
export interface Preset {
  /** The writer's name as its users know it. */
  readonly title: string;
  readonly onByDefault: boolean;
  /** Each a single identity: whoever may create a second namespace that is named here could take its rights. */
  readonly usernames: readonly string[];
  /** JSON Pointers in every guarded resource. */
  readonly paths: readonly string[];
  /** JSON Pointers in single resources, by their names. */
  readonly pathsOf: Readonly<Record<string, readonly string[]>>;
  /** JSON Pointers below every pod template of a guarded resource. */
  readonly podTemplatePaths: readonly string[];
  /** Whether it may change what `/scale` changes. */
  readonly scales: boolean;
  /** Whether it may change a resource's `suspendPath`. */
  readonly suspends: boolean;
}

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  // Source: k8s.io/kubernetes pkg/controller/garbagecollector/patch.go. Without
  // --use-service-account-credentials it writes as the controller manager itself.
  garbageCollector: {
    title: 'the garbage collector',
    onByDefault: true,
    usernames: ['system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager'],
    paths: ['/metadata/finalizers', '/metadata/ownerReferences'],
    pathsOf: {},
    podTemplatePaths: [],
    scales: false,
    suspends: false,
  },
  // Source: sigs.k8s.io/kueue v0.19 pkg/podset/podset.go (Merge, RestorePodSpec), pkg/controller/jobframework/reconciler.go.
  kueue: {
    title: 'Kueue',
    onByDefault: false,
    usernames: ['system:serviceaccount:kueue-system:kueue-controller-manager'],
    paths: [],
    pathsOf: {
      // Partial admission: pkg/controller/jobs/job/job_controller.go.
      'jobs.batch': ['/spec/parallelism', '/spec/completions'],
      // runtimePatches since Trainer 2.2, podTemplateOverrides before: pkg/controller/jobs/trainjob.
      'trainjobs.trainer.kubeflow.org': ['/spec/runtimePatches', '/spec/podTemplateOverrides'],
    },
    podTemplatePaths: [
      '/metadata/labels',
      '/metadata/annotations',
      '/spec/nodeSelector',
      '/spec/tolerations',
      '/spec/schedulingGates',
    ],
    scales: false,
    suspends: true,
  },
  // Source: k8s.io/kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go.
  horizontalPodAutoscaler: {
    title: 'the horizontal pod autoscaler',
    onByDefault: false,
    usernames: ['system:serviceaccount:kube-system:horizontal-pod-autoscaler', 'system:kube-controller-manager'],
    paths: [],
    pathsOf: {},
    podTemplatePaths: [],
    scales: true,
    suspends: false,
  },
  // Source: flyteorg/flyte flytepropeller/pkg/controller/nodes/task/k8s/plugin_manager.go.
  flyte: {
    title: 'Flyte',
    onByDefault: false,
    usernames: ['system:serviceaccount:flyte:flytepropeller'],
    paths: ['/metadata/finalizers'],
    pathsOf: {},
    podTemplatePaths: [],
    scales: false,
    suspends: false,
  },
};
