import type { PolicyDocument, ResourceDocument } from './document.ts';

/** The policy that applies where no file gives one. */
export const DEFAULT_POLICY_DOCUMENT: PolicyDocument = { apiVersion: 'jobguard/v1', kind: 'UpdatePolicy' };

export const DEFAULT_RESOURCES: readonly ResourceDocument[] = [
  { group: 'kubeflow.org', resource: 'tfjobs' },
  { group: 'kubeflow.org', resource: 'pytorchjobs' },
];

/**
 * The five fields, wherever a generation of the API keeps them: apiVersion is kubeflow.org/v1 in all.
 * Source: tf-operator v1.0 pkg/apis/tensorflow/v1/types.go and training-operator v1.3 to v1.9 manifests/base/crds.
 */
export const DEFAULT_ALLOW: readonly string[] = [
  '/metadata/labels',
  '/metadata/annotations',
  '/spec/activeDeadlineSeconds',
  '/spec/ttlSecondsAfterFinished',
  '/spec/cleanPodPolicy',
  '/spec/runPolicy/activeDeadlineSeconds',
  '/spec/runPolicy/ttlSecondsAfterFinished',
  '/spec/runPolicy/cleanPodPolicy',
];
