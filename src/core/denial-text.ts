import type { UnjudgeableReason } from './decide.ts';
import { resourceName, singularOf } from './resource-name.ts';

/** Everything that is said to a writer whose update is refused, or would be; `explain.ts` decides what of it is said. */

/** What a denial says. */
export interface DenialParts {
  /** The object's resource and name: `tfjobs.kubeflow.org "mnist"`. */
  readonly subject: string;
  /** The refused changes that are named, each as `changeText` writes it. */
  readonly refused: readonly string[];
  readonly refusedCount: number;
  /** The fields that may change, as many as are named. */
  readonly allowed: readonly string[];
  readonly allowedCount: number;
  /** What to do instead, as `wayOutText` writes it. */
  readonly wayOut: string;
  readonly hint: string | undefined;
  /** Whom the policy tells people to ask. */
  readonly contact: string | undefined;
}

/** What somebody can do who wants the job to run differently. */
const WAY_OUT = 'To run it differently, create a new job';

/** Makes the sentence out of what creates the new job: `: kubectl jobguard rerun …`; '' where the command is not known. */
type WayOut = (command: string) => string;

const newNameIn =
  (source: string): WayOut =>
  () =>
    `To run it differently, give the job a new name in ${source}.`;

/**
 * The way out for whoever writes with a tool, by the name that the tool gives itself in the request's
 * `options.fieldManager`.
 *
 * Sources: argoproj/argo-cd common/common.go (ArgoCDSSAManager); fluxcd/kustomize-controller and fluxcd/helm-controller
 * main.go (controllerName); helm/helm pkg/kube/client.go (getManagedFieldsManager: the program's name);
 * k8s.io/kubectl v0.37 pkg/cmd/edit/edit.go, pkg/cmd/replace/replace.go. `kubectl edit` keeps what was refused in a file
 * and prints its name: pkg/cmd/util/editor.
 */
const WAYS_OUT: ReadonlyMap<string, WayOut> = new Map([
  ['argocd-controller', newNameIn('the manifest that Argo CD applies')],
  ['kustomize-controller', newNameIn('the manifest that Flux applies')],
  ['helm-controller', newNameIn('the chart that Flux installs')],
  ['helm', newNameIn('the chart that Helm installs')],
  ['kubectl-edit', (command) => `${WAY_OUT} from the copy that kubectl edit saved${command}.`],
  ['kubectl-replace', (command) => `${WAY_OUT}${command}. With --force, kubectl replace deletes this job.`],
]);

/** A name that a shell takes as it is. Source: k8s.io/apimachinery pkg/util/validation, IsDNS1123Subdomain. */
const NAME = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;

/** The job that a command is about. */
export interface CommandObject {
  readonly group: string;
  /** The plural. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Says what a person can do who writes with a tool, with the command that does it. */
export function wayOutText(fieldManager: string, object: CommandObject): string {
  const wayOut = WAYS_OUT.get(fieldManager) ?? ((command) => `${WAY_OUT}${command}.`);
  return wayOut(rerunCommand(object));
}

/** `: kubectl jobguard rerun --live tfjob/mnist -n team -f FILENAME --create`; '' where a shell would read it otherwise. */
function rerunCommand({ group, resource, namespace, name }: CommandObject): string {
  // Kubeflow's kinds are known by their names alone.
  const kind = group === 'kubeflow.org' ? singularOf(resource) : resourceName(group, resource);
  if (![kind, namespace, name].every((part) => NAME.test(part))) return '';
  return `: kubectl jobguard rerun --live ${kind}/${name} -n ${namespace} -f FILENAME --create`;
}

/** Says the same to a controller, which runs no commands. */
export const WAY_OUT_OF_CONTROLLER = `${WAY_OUT}.`;

/** Names an object, and says that it keeps its state: `tfjobs.kubeflow.org "mnist" may not be updated`. */
export function refusalText(subject: string): string {
  return `${subject} may not be updated`;
}

/** `tfjobs.kubeflow.org "mnist" may not be updated: spec.x (1 → 4), and 2 more; only labels may change. To run it …` */
export function denialText(parts: DenialParts): string {
  const { subject, refused, refusedCount, allowed, allowedCount, wayOut, hint, contact } = parts;
  const moreRefused = refusedCount - refused.length;
  const changes = moreRefused === 0 ? refused : [...refused, `and ${moreRefused} more`];
  const denial = `${refusalText(subject)}: ${changes.join(', ')}; ${allowedText(allowed, allowedCount)}. ${wayOut}`;
  const hinted = hint === undefined ? denial : `${denial} (${hint})`;
  return contact === undefined ? hinted : `${hinted} ${contactText(contact)}`;
}

/** Words the refusal of what cannot be judged, and whom to ask. */
export function unjudgeableText(subject: string, reason: UnjudgeableReason, contact: string | undefined): string {
  const denial = `${refusalText(subject)}: ${UNJUDGEABLE_TEXTS[reason]}`;
  return contact === undefined ? denial : `${denial}. ${contactText(contact)}`;
}

/** Makes a sentence of a policy's contact: `ask in #ml` becomes `Ask in #ml.`; an address alone keeps its case. */
export function contactText(contact: string): string {
  const sentence = contact.replace(/^[a-z]+(?= )/, (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

function allowedText(allowed: readonly string[], count: number): string {
  if (count === 0) return 'nothing may change';
  return `only ${allowed.length < count ? `${allowed.join(', ')}, …` : listText(allowed)} may change`;
}

/** Writes `a, b and c`. */
function listText(names: readonly string[]): string {
  const last = names.slice(-1);
  return [names.slice(0, -1).join(', '), ...last].filter((part) => part !== '').join(' and ');
}

/** Writes one change with as much of its values as may be shown: `spec.x (1 → 4)`, `spec.y (added)`. */
export function changeText(field: string, values: string): string {
  return `${field} (${values})`;
}

/** Says of a field, which stands beside it or before it, that its change is refused. */
export function causeText(values: string): string {
  return `may not change (${values})`;
}

export const UNJUDGEABLE_TEXTS: Readonly<Record<UnjudgeableReason, string>> = {
  unknownSubresource: 'jobguard cannot check updates of this subresource',
  noObjects: 'the request does not contain both the old and the new object',
  tooManyValues: 'the job contains more values than jobguard can check',
  noScalePath: 'the policy sets no scaleReplicasPath, so updates of /scale cannot be checked',
  noReplicas: 'spec.replicas of the Scale is not a number',
};

/** Sums up, in mode `warn`, what `enforce` would refuse. */
export function wouldDenyText(refused: number): string {
  return `jobguard would deny this update: ${refused === 1 ? '1 change is' : `${refused} changes are`} not allowed`;
}

export function wouldNotJudgeText(reason: UnjudgeableReason): string {
  return `jobguard would deny this update: ${UNJUDGEABLE_TEXTS[reason]}`;
}

/** Tells a known controller's owner which preset lets it work. */
export function presetHint(title: string, preset: string): string {
  return `this is ${title}: turn on the preset "${preset}"`;
}

export function suspendHint(pointer: string): string {
  return `to let people pause and resume jobs, allow "${pointer}" in the policy`;
}

export const SUSPENDED_JOB_HINT =
  'this job is suspended: to let people edit suspended jobs, set "suspendedJobs: true" in the policy';
