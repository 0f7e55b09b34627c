import type { AdmissionRequest } from './admission.ts';
import { isSuspended, type Decision, type JudgedChange, type Verdict } from './decide.ts';
import type { Change } from './diff.ts';
import { childType, UNKNOWN, type FieldType } from './field-type.ts';
import { ExactNumber, isMap, type JsonValue } from './json.ts';
import { misreading } from './misread.ts';
import { fieldPath, printablePointer } from './field-path.ts';
import { pointer, type Path } from './path.ts';
import { guardedResource, type GuardedResource, type Policy } from './policy.ts';
import { resourceName } from './resource-name.ts';
import { MAX_NAME_LENGTH, printable, shorten, shortenToBytes, utf8Length } from './text.ts';

/** One refused change, as a v1 Status lists it. */
export interface Cause {
  readonly reason: 'FieldValueForbidden';
  readonly field: string;
  readonly message: string;
}

const MAX_NAMED_PATHS = 10;
const MAX_MESSAGE_BYTES = 1024;
const MAX_VALUE_LENGTH = 64;
/** Source: Kubernetes' advice on warnings, "Validating admission webhooks: warnings" in its documentation. */
const MAX_WARNINGS = 10;
const MAX_WARNING_LENGTH = 120;

/** Below these nothing is shown, whatever its type: they can hold secrets. */
const SECRET_PLACES = new Set<string | number>(['env', 'args', 'command', 'annotations']);

const SUSPEND = '/spec/runPolicy/suspend';

/**
 * Words a denial in one line of at most 1 KiB: what was refused, what may change, what to do.
 *
 * `tfjobs.kubeflow.org "mnist" may not be updated: spec.tfReplicaSpecs[Worker].replicas (1 → 4), and 2 more;
 * only metadata.labels, … may change. To run it differently, create a new job.`
 */
export function denialMessage(policy: Policy, request: AdmissionRequest, decision: Decision): string {
  const { group, resource: plural } = request.resource;
  const opening = `${resourceName(group, plural)} "${printable(request.name, MAX_NAME_LENGTH)}" may not be updated: `;
  if (decision.outcome === 'unjudgeable') return shortenToBytes(`${opening}${decision.reason}`, MAX_MESSAGE_BYTES);
  const resource = guardedResource(policy, group, plural);
  if (decision.outcome !== 'deny' || resource === undefined) return '';

  const hint = hintFor(policy, request, decision);
  const closing = `. To run it differently, create a new job.${hint === undefined ? '' : ` (${hint})`}`;
  const allowed = resource.allow.map((pattern) => fieldPath(pattern, resource.type));
  const refused = decision.denied.slice(0, MAX_NAMED_PATHS).map((change) => describeChange(change, resource));
  const sentence = (named: number, listed: number): string =>
    `${refusedText(refused.slice(0, named), decision.deniedCount)}; ${allowedText(allowed, listed)}`;
  const budget = MAX_MESSAGE_BYTES - utf8Length(opening) - utf8Length(closing);
  const named = longestFit(refused.length, budget, (count) => sentence(count, 2));
  const listed = longestFit(allowed.length, budget, (count) => sentence(named, count));
  // Counting paths is enough for any job that anybody has; names and images of wide characters may still be too long.
  return shortenToBytes(`${opening}${sentence(named, listed)}${closing}`, MAX_MESSAGE_BYTES);
}

/** Returns the largest count, down to 1, whose text fits into `budget` bytes. */
function longestFit(most: number, budget: number, text: (count: number) => string): number {
  let count = most;
  while (count > 1 && utf8Length(text(count)) > budget) count -= 1;
  return count;
}

function refusedText(named: readonly string[], total: number): string {
  return [...named, ...(named.length < total ? [`and ${total - named.length} more`] : [])].join(', ');
}

function allowedText(allowed: readonly string[], listed: number): string {
  if (allowed.length === 0) return 'nothing may change';
  return `only ${[...allowed.slice(0, listed), ...(listed < allowed.length ? ['…'] : [])].join(', ')} may change`;
}

/** Writes one change with as much of its values as may be shown: `spec.x (1 → 4)`, `spec.y (added)`. */
export function describeChange(change: Change, resource: GuardedResource | undefined): string {
  return `${fieldPath(change.path, typeOf(resource))} (${describeValues(change, resource)})`;
}

function describeValues(change: Change, resource: GuardedResource | undefined): string {
  const { op, path, oldValue, newValue } = change;
  const before = shownValue(oldValue, path, resource);
  const after = shownValue(newValue, path, resource);
  if (before !== undefined && after !== undefined) return `${before} → ${after}`;
  return { add: 'added', remove: 'removed', replace: 'changed' }[op];
}

/** Returns a side of a change as it may be shown; undefined where it may not, `unset` where there is none. */
function shownValue(
  value: JsonValue | undefined,
  path: Path,
  resource: GuardedResource | undefined,
): string | undefined {
  if (path.some((segment) => SECRET_PLACES.has(segment))) return undefined;
  if (value === undefined) return 'unset';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof ExactNumber) return shorten(value.source, MAX_VALUE_LENGTH);
  const isImage = path.reduce<FieldType>(childType, typeOf(resource)).isContainerImage;
  return isImage && typeof value === 'string' ? printable(value, MAX_VALUE_LENGTH) : undefined;
}

/** Returns the type of an object; of a resource that is not guarded nothing is known. */
function typeOf(resource: GuardedResource | undefined): FieldType {
  return resource?.type ?? UNKNOWN;
}

/** Lists the refused changes that the message names, in its order. */
export function causes(resource: GuardedResource | undefined, decision: Decision): Cause[] {
  if (decision.outcome !== 'deny') return [];
  return decision.denied.slice(0, MAX_NAMED_PATHS).map((change) => ({
    reason: 'FieldValueForbidden',
    field: fieldPath(change.path, typeOf(resource)),
    message: `may not change (${describeValues(change, resource)})`,
  }));
}

/**
 * Returns how this writer could be allowed what was refused; undefined where no setting is made for it.
 * `this is Kueue: turn on the preset "kueue"`.
 */
export function hintFor(policy: Policy, request: AdmissionRequest, decision: Decision): string | undefined {
  if (decision.outcome !== 'deny') return undefined;
  const preset = policy.dormantPresets.find(({ covers }) => covers(request.user.username));
  if (preset !== undefined) return `this is ${preset.title}: turn on the preset "${preset.name}"`;

  if (decision.denied.every(({ path }) => pointer(path) === SUSPEND)) {
    return `to let people pause and resume jobs, allow "${SUSPEND}"`;
  }
  const isOfSuspendedJob = isMap(request.oldObject) && isSuspended(request.oldObject);
  return isOfSuspendedJob && !policy.suspendedJobs && decision.denied.every(({ path }) => path[0] === 'spec')
    ? 'this job is suspended: the policy can let such jobs be edited with "suspendedJobs: true"'
    : undefined;
}

/** Words the admission warnings: values that the operator misreads and, in mode `warn`, what would be denied. */
export function warnings(policy: Policy, request: AdmissionRequest, { decision, mode }: Verdict): string[] {
  const resource = guardedResource(policy, request.resource.group, request.resource.resource);
  const misread = changesOf(decision)
    .filter(({ permitted }) => permitted)
    .flatMap((change) => misreadWarning(change, resource));
  const wouldBe =
    mode === 'warn' ? wouldBeWarnings(policy, request, decision, resource, MAX_WARNINGS - misread.length) : [];
  return [...misread, ...wouldBe].map((text) => shorten(text, MAX_WARNING_LENGTH));
}

function changesOf(decision: Decision): readonly JudgedChange[] {
  return 'changes' in decision ? decision.changes : [];
}

function misreadWarning(change: Change, resource: GuardedResource | undefined): string[] {
  const warning = misreading(change);
  return warning === undefined ? [] : [`${fieldPath(change.path, typeOf(resource))} ${warning}`];
}

function wouldBeWarnings(
  policy: Policy,
  request: AdmissionRequest,
  decision: Decision,
  resource: GuardedResource | undefined,
  most: number,
): string[] {
  if (decision.outcome === 'unjudgeable') return [`jobguard would deny this update: ${decision.reason}`];
  if (decision.outcome !== 'deny') return [];

  const count = decision.deniedCount;
  const hint = hintFor(policy, request, decision);
  const summary = [
    `jobguard would deny this update for ${count === 1 ? '1 change' : `${count} changes`}`,
    ...(hint === undefined ? [] : [hint]),
  ];
  const paths = decision.denied
    .slice(0, most - summary.length)
    .map(
      (change) => `${fieldPath(change.path, typeOf(resource))} may not change (${describeValues(change, resource)})`,
    );
  return [...paths, ...summary];
}

/** Lists the refused changes as JSON Pointers, at most ten, in the order of the message. */
export function deniedPointers(decision: Decision): string[] {
  if (decision.outcome !== 'deny') return [];
  return decision.denied.slice(0, MAX_NAMED_PATHS).map(({ path }) => printablePointer(path));
}

/** Returns the audit annotations of an answer; the API server puts the webhook's name before each key. */
export function auditAnnotations(policy: Policy, { decision, mode }: Verdict): Record<string, string> {
  return {
    decision: decision.outcome,
    mode,
    ...(decision.outcome === 'deny'
      ? { 'denied-paths': JSON.stringify(deniedPointers(decision)), 'denied-count': String(decision.deniedCount) }
      : {}),
    ...(decision.outcome === 'exempt' ? { exemption: decision.exemptions.join(',') } : {}),
    policy: policy.hash,
  };
}
