import { DEFAULT_POLICY_DOCUMENT } from '../../src/policy/defaults.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';
import type { NaiveExemption, NaivePolicy, NaiveResource } from './naive-judge.ts';

/** One policy as both judges take it: as a document for the core, with its presets written out for the naive one. */
export interface PolicyPair {
  readonly document: PolicyDocument;
  readonly naive: NaivePolicy;
}

const GARBAGE_COLLECTOR: NaiveExemption = {
  name: 'garbageCollector',
  usernames: ['system:serviceaccount:kube-system:generic-garbage-collector', 'system:kube-controller-manager'],
  paths: ['/metadata/finalizers', '/metadata/ownerReferences'],
};

const OTHER_PRESETS: readonly NaiveExemption[] = [
  {
    name: 'kueue',
    usernames: ['system:serviceaccount:kueue-system:kueue-controller-manager'],
    paths: ['/spec/runPolicy/suspend'],
    templatePaths: [
      '/metadata/labels',
      '/metadata/annotations',
      '/spec/nodeSelector',
      '/spec/tolerations',
      '/spec/schedulingGates',
    ],
  },
  {
    name: 'horizontalPodAutoscaler',
    usernames: ['system:serviceaccount:kube-system:horizontal-pod-autoscaler', 'system:kube-controller-manager'],
    paths: [],
    scales: true,
  },
  { name: 'flyte', usernames: ['system:serviceaccount:flyte:flytepropeller'], paths: ['/metadata/finalizers'] },
];

const TFJOBS: NaiveResource = {
  group: 'kubeflow.org',
  resource: 'tfjobs',
  podTemplates: ['/spec/tfReplicaSpecs/*/template'],
};

const PYTORCHJOBS: NaiveResource = {
  group: 'kubeflow.org',
  resource: 'pytorchjobs',
  podTemplates: ['/spec/pytorchReplicaSpecs/*/template'],
  scaleReplicasPath: '/spec/pytorchReplicaSpecs/Worker/replicas',
};

const DEFAULT_ALLOW = [
  '/metadata/labels',
  '/metadata/annotations',
  '/spec/activeDeadlineSeconds',
  '/spec/ttlSecondsAfterFinished',
  '/spec/cleanPodPolicy',
  '/spec/runPolicy/activeDeadlineSeconds',
  '/spec/runPolicy/ttlSecondsAfterFinished',
  '/spec/runPolicy/cleanPodPolicy',
];

/** The default policy, written out from semantics.md once more. */
export const DEFAULT_POLICY: PolicyPair = {
  document: DEFAULT_POLICY_DOCUMENT,
  naive: {
    resources: [TFJOBS, PYTORCHJOBS],
    allow: DEFAULT_ALLOW,
    suspendedJobs: false,
    exemptions: [GARBAGE_COLLECTOR],
  },
};

const ALL_KINDS: readonly NaiveResource[] = [
  TFJOBS,
  PYTORCHJOBS,
  { group: 'kubeflow.org', resource: 'mpijobs', podTemplates: ['/spec/mpiReplicaSpecs/*/template'] },
  {
    group: 'kubeflow.org',
    resource: 'paddlejobs',
    podTemplates: ['/spec/paddleReplicaSpecs/*/template'],
    scaleReplicasPath: '/spec/paddleReplicaSpecs/Worker/replicas',
  },
  {
    group: 'kubeflow.org',
    resource: 'jaxjobs',
    podTemplates: ['/spec/jaxReplicaSpecs/*/template'],
    scaleReplicasPath: '/spec/jaxReplicaSpecs/Worker/replicas',
  },
  { group: 'kubeflow.org', resource: 'xgboostjobs', podTemplates: ['/spec/xgbReplicaSpecs/*/template'] },
];

/** Every preset on, suspended jobs open, all six kinds. */
export const ALL_PRESETS_POLICY: PolicyPair = {
  document: {
    apiVersion: 'jobguard/v1',
    kind: 'UpdatePolicy',
    mode: 'warn',
    resources: ALL_KINDS,
    suspendedJobs: true,
    presets: { garbageCollector: true, kueue: true, horizontalPodAutoscaler: true, flyte: true },
  },
  naive: {
    resources: ALL_KINDS,
    allow: DEFAULT_ALLOW,
    suspendedJobs: true,
    exemptions: [GARBAGE_COLLECTOR, ...OTHER_PRESETS],
  },
};

/** With `*` for map keys and list indexes, with hostile keys, below pointers; `*` inside a segment is a plain star. */
const OWN_ALLOW = [
  '/metadata/labels',
  '/spec/*ReplicaSpecs',
  '/spec/elasticPolicy/minReplicas',
  '/spec/*/standalone',
  '/spec/tfReplicaSpecs/*/template/metadata/annotations',
  '/spec/pytorchReplicaSpecs/*/replicas',
  '/spec/tfReplicaSpecs/*/template/spec/containers/*/image',
  '/spec/pytorchReplicaSpecs/*/template/spec/containers/*/securityContext/runAsUser',
  '/spec/pytorchReplicaSpecs/Master/template/spec/volumes/0/emptyDir/sizeLimit',
  '/spec/pytorchReplicaSpecs/*/template/spec/nodeSelector/a~1b~0c',
  '/spec/roles/*/replicas',
  '/spec/__proto__/constructor',
  '/spec/a.b',
];

const OWN_EXEMPTIONS = [
  {
    name: 'platform',
    groups: ['platform:*'],
    namespaces: ['res*', 'default'],
    paths: ['/spec/runPolicy', '/spec/roles/*/template/spec/*/*/resources'],
  },
  { name: 'pipelines', usernames: ['*:flytepropeller'], paths: ['/metadata/finalizers', '/status', '/spec/toString'] },
];

const OWN_RESOURCES: readonly NaiveResource[] = [
  {
    group: 'kubeflow.org',
    resource: 'tfjobs',
    podTemplates: ['/spec/tfReplicaSpecs/*/template', '/spec/futureField/*'],
    allow: ['/spec/tfReplicaSpecs/Worker/replicas'],
    scaleReplicasPath: '/spec/tfReplicaSpecs/Worker/replicas',
  },
  { group: 'kubeflow.org', resource: 'pytorchjobs', podTemplates: ['/spec/pytorchReplicaSpecs/*/template'] },
  {
    group: 'example.org',
    resource: 'trainjobs',
    podTemplates: ['/spec/roles/*/template'],
    scaleReplicasPath: '/spec/roles/0/replicas',
  },
];

/** Nothing of the default: other paths, other exemptions with globs, and a kind that the Go types do not know. */
export const OWN_POLICY: PolicyPair = {
  document: {
    apiVersion: 'jobguard/v1',
    kind: 'UpdatePolicy',
    mode: 'audit',
    resources: OWN_RESOURCES.map((resource) => ({ scaleReplicasPath: null, ...resource })),
    allow: OWN_ALLOW,
    presets: { garbageCollector: false, flyte: false },
    exemptions: OWN_EXEMPTIONS,
  },
  naive: { resources: OWN_RESOURCES, allow: OWN_ALLOW, suspendedJobs: false, exemptions: OWN_EXEMPTIONS },
};

export const POLICIES = { default: DEFAULT_POLICY, presets: ALL_PRESETS_POLICY, own: OWN_POLICY } as const;
