/**
 * How jobguard words a denial. No other test file holds these sentences: a change of wording touches
 * `src/core/denial-text.ts` and this file.
 */

const DEFAULT_ALLOWED = 'labels, annotations, activeDeadlineSeconds, ttlSecondsAfterFinished and cleanPodPolicy';

/** What somebody is told to do instead who writes with a tool, by the tool's name for itself. */
export const wayOutOf = (fieldManager: string, namespace: string, job = 'tfjob/mnist'): string =>
  `To run it differently, ${WAYS_OUT[fieldManager]?.(rerunOf(job, namespace)) ?? ''}`;

/** The command that makes the new job. */
const rerunOf = (job: string, namespace: string): string =>
  `kubectl jobguard rerun --live ${job} -n ${namespace} -f FILENAME --create`;

const WAYS_OUT: Readonly<Record<string, (command: string) => string>> = {
  'argocd-controller': () => 'give the job a new name in the manifest that Argo CD applies.',
  'kustomize-controller': () => 'give the job a new name in the manifest that Flux applies.',
  'helm-controller': () => 'give the job a new name in the chart that Flux installs.',
  helm: () => 'give the job a new name in the chart that Helm installs.',
  kubectl: (command) => `create a new job: ${command}.`,
  'kubectl-client-side-apply': (command) => `create a new job: ${command}.`,
  'kubectl-edit': (command) => `create a new job from the copy that kubectl edit saved: ${command}.`,
  'kubectl-replace': (command) => `create a new job: ${command}. With --force, kubectl replace deletes this job.`,
};

/** What a denial says beside the refused changes; what is left out is as the default policy has it. */
export interface Wording {
  /** The fields that may change, as the message lists them; '' where nothing may. */
  readonly allowed?: string;
  /** What to do instead. */
  readonly wayOut?: string;
  readonly hint?: string;
  /** The sentence that says whom to ask. */
  readonly contact?: string;
  /** How many refused changes the message does not name. */
  readonly more?: number;
}

/** What a controller is told to do instead. */
export const WAY_OUT = 'To run it differently, create a new job.';

/** What whoever does not say which tool it is gets told, with the command for the job. */
export const wayOutIn = (namespace: string, job = 'tfjob/mnist'): string =>
  `To run it differently, create a new job: ${rerunOf(job, namespace)}.`;

/** `tfjobs.kubeflow.org "mnist" may not be updated`. */
export const refusalOf = (subject: string): string => `${subject} may not be updated`;

/** The whole message about changes such as `spec.x (1 → 4)`. */
export function denialOf(subject: string, refused: readonly string[], wording: Wording = {}): string {
  const { allowed = DEFAULT_ALLOWED, wayOut = wayOutIn('research'), hint, contact, more = 0 } = wording;
  const changes = more === 0 ? refused : [...refused, `and ${more} more`];
  const only = allowed === '' ? 'nothing may change' : `only ${allowed} may change`;
  const end = [wayOut, ...(hint === undefined ? [] : [`(${hint})`]), ...(contact === undefined ? [] : [contact])];
  return `${refusalOf(subject)}: ${changes.join(', ')}; ${only}. ${end.join(' ')}`;
}

/** What a cause says of its field; a warning says the same behind the field's path. */
export const causeOf = (values: string): string => `may not change (${values})`;

/** What mode `warn` says of a number of refused changes. */
export const wouldDeny = (count: number): string =>
  `jobguard would deny this update: ${count === 1 ? '1 change is' : `${count} changes are`} not allowed`;

export const wouldDenyBecause = (reason: string): string => `jobguard would deny this update: ${reason}`;

/** Why an update cannot be judged. */
export const UNJUDGEABLE = {
  unknownSubresource: 'jobguard cannot check updates of this subresource',
  noObjects: 'the request does not contain both the old and the new object',
  tooManyValues: 'the job contains more values than jobguard can check',
  noScalePath: 'the policy sets no scaleReplicasPath, so updates of /scale cannot be checked',
  noReplicas: 'spec.replicas of the Scale is not a number',
} as const;

/** What the owner of a controller is told that a preset knows. */
export function presetHintOf(title: string, preset: string): string {
  return `this is ${title}: turn on the preset "${preset}"`;
}

/** How a policy could allow what was refused. */
export const HINTS = {
  kueue: presetHintOf('Kueue', 'kueue'),
  flyte: presetHintOf('Flyte', 'flyte'),
  garbageCollector: presetHintOf('the garbage collector', 'garbageCollector'),
  horizontalPodAutoscaler: presetHintOf('the horizontal pod autoscaler', 'horizontalPodAutoscaler'),
  suspend: 'to let people pause and resume jobs, allow "/spec/runPolicy/suspend" in the policy',
  suspendedJob: 'this job is suspended: to let people edit suspended jobs, set "suspendedJobs: true" in the policy',
} as const;

/** What a warning says of a value that the operator misreads. */
export const MISREAD = {
  cleanPodPolicy: 'is not None, Running or All; the operator treats any other value as All',
  seconds: 'is not a whole number of seconds, 0 or more; the operator cannot use it',
} as const;

/** What `check` says may change by the default policy. */
export const ONLY_THESE = `Only these may change:
  metadata.labels
  metadata.annotations
  spec.activeDeadlineSeconds
  spec.ttlSecondsAfterFinished
  spec.cleanPodPolicy
  spec.runPolicy.activeDeadlineSeconds
  spec.runPolicy.ttlSecondsAfterFinished
  spec.runPolicy.cleanPodPolicy
`;
