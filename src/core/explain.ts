import type { AdmissionRequest } from './admission.ts';
import { isSuspended, type Decision, type Verdict } from './decide.ts';
import {
  causeText,
  changeText,
  contactText,
  denialText,
  presetHint,
  SUSPENDED_JOB_HINT,
  suspendHint,
  unjudgeableText,
  WAY_OUT_OF_CONTROLLER,
  wayOutText,
  wouldDenyText,
  wouldNotJudgeText,
  type DenialParts,
} from './denial-text.ts';
import type { Change } from './diff.ts';
import { fieldClass, type FieldClass } from './field-class.ts';
import { childType, type FieldType } from './field-type.ts';
import { isExactNumber, isMap, type JsonScalar, type JsonValue } from './json.ts';
import { misreading } from './misread.ts';
import { fieldName, fieldPath, printablePointer } from './field-path.ts';
import { pointer, type Path } from './path.ts';
import type { GuardedResource, Policy } from './policy.ts';
import { resourceName } from './resource-name.ts';
import { MAX_NAME_LENGTH, printable, shorten, shortenToBytes, utf8Length } from './text.ts';

/** What is said of a verdict. It is made once, and read by the answer, the log, the metrics and the command line. */
export interface Explanation {
  /** Why the update is denied or cannot be judged, in one line of at most 1 KiB; '' where neither. */
  readonly message: string;
  /** The refused changes that the message names, in its order. */
  readonly causes: readonly Cause[];
  /** What to do instead of a refused update; undefined where nothing is refused. */
  readonly wayOut: string | undefined;
  /** How the policy could allow this writer what was refused; undefined where no setting is made for it. */
  readonly hint: string | undefined;
  /** Whom the policy tells people to ask about a refusal; undefined where nothing is refused or it names nobody. */
  readonly contact: string | undefined;
  /** At most 10 admission warnings of at most 120 characters. */
  readonly warnings: readonly string[];
  /** The audit annotations; the API server puts the webhook's name before each key. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The refused changes as JSON Pointers, at most 10, in the order of the message. */
  readonly deniedPaths: readonly string[];
  /** How many of the refused changes are in each class of field. */
  readonly deniedFields: ReadonlyMap<FieldClass, number>;
}

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
/** How many of the allowed fields a message names before it gives up naming refused ones: all of the default policy's. */
const LEAST_ALLOWED_NAMED = 5;

/** Below these nothing is shown, whatever its type: they can hold secrets. */
const SECRET_FIELDS = new Set<string | number>(['env', 'args', 'command', 'annotations']);

type Denial = Extract<Decision, { outcome: 'deny' }>;

/** The explanation of what passes without a word. */
const SILENT: Omit<Explanation, 'annotations'> = {
  message: '',
  causes: [],
  wayOut: undefined,
  hint: undefined,
  contact: undefined,
  warnings: [],
  deniedPaths: [],
  deniedFields: new Map(),
};

/** Explains a verdict to whoever sent the request, and to whoever watches. */
export function explain(policy: Policy, request: AdmissionRequest, verdict: Verdict): Explanation {
  const { decision, mode, resource } = verdict;
  const annotations = { decision: decision.outcome, mode, policy: policy.hash };
  if (resource === undefined || decision.outcome === 'out_of_scope') return { ...SILENT, annotations };
  if (decision.outcome === 'unjudgeable') {
    const { contact } = policy;
    const message = shortenToBytes(unjudgeableText(subjectOf(request), decision.reason, contact), MAX_MESSAGE_BYTES);
    const warnings = mode === 'warn' ? [wouldNotJudgeText(decision.reason), ...contactWarnings(contact)] : [];
    return { ...SILENT, message, contact, warnings, annotations };
  }

  // `enforce` stores nothing that it refuses; the other modes store every new value.
  const stored = decision.changes.filter(({ permitted }) => permitted || mode !== 'enforce');
  const warnings = misreadWarnings(stored, resource.type);
  if (decision.outcome === 'allow') return { ...SILENT, warnings, annotations };
  if (decision.outcome === 'exempt') {
    return { ...SILENT, warnings, annotations: { ...annotations, exemption: decision.exemptions.join(',') } };
  }
  const denial = explainDenial(policy, request, resource, decision);
  const room = MAX_WARNINGS - warnings.length;
  return {
    ...denial,
    warnings: mode === 'warn' ? [...warnings, ...denialWarnings(denial, decision.deniedCount, room)] : warnings,
    annotations: {
      ...annotations,
      'denied-paths': JSON.stringify(denial.deniedPaths),
      'denied-count': String(decision.deniedCount),
    },
  };
}

/** A refused change that is named, in the forms that its readers take. */
interface NamedChange {
  readonly field: string;
  readonly values: string;
  readonly pointer: string;
}

function explainDenial(
  policy: Policy,
  request: AdmissionRequest,
  resource: GuardedResource,
  denial: Denial,
): Omit<Explanation, 'warnings' | 'annotations'> {
  const { type } = resource;
  const named = denial.denied.slice(0, MAX_NAMED_PATHS).map((change) => namedChange(change, type));
  const allowed = allowedFor(resource, named);
  const preset = policy.dormantPresets.find(({ covers }) => covers(request.user.username));
  const wayOut =
    preset === undefined
      ? wayOutText(request.fieldManager, { ...request, ...request.resource })
      : WAY_OUT_OF_CONTROLLER;
  const hint =
    preset === undefined ? suspensionHint(policy, request, resource, denial) : presetHint(preset.title, preset.name);
  const { contact } = policy;
  return {
    message: denialMessage({
      subject: subjectOf(request),
      refused: named.map(({ field, values }) => changeText(field, values)),
      refusedCount: denial.deniedCount,
      allowed,
      allowedCount: allowed.length,
      wayOut,
      hint,
      contact,
    }),
    causes: named.map(({ field, values }) => ({ reason: 'FieldValueForbidden', field, message: causeText(values) })),
    wayOut,
    hint,
    contact,
    deniedPaths: named.map(({ pointer }) => pointer),
    deniedFields: countFields(denial.denied),
  };
}

/** Returns the fields that may change, in short where no refused one would be called the same. */
function allowedFor(
  { allowedFields, allowedNames }: GuardedResource,
  refused: readonly NamedChange[],
): readonly string[] {
  return refused.some(({ field }) => allowedNames.includes(fieldName(field))) ? allowedFields : allowedNames;
}

function namedChange(change: Change, type: FieldType): NamedChange {
  const { path } = change;
  return { field: fieldPath(path, type), values: shownValues(change, type), pointer: printablePointer(path) };
}

/** Names an object: `tfjobs.kubeflow.org "mnist"`. */
function subjectOf({ resource: { group, resource }, name }: AdmissionRequest): string {
  return `${resourceName(group, resource)} "${printable(name, MAX_NAME_LENGTH)}"`;
}

/** Words a denial in one line of at most 1 KiB: what was refused, what may change, what to do, whom to ask. */
function denialMessage(denial: DenialParts): string {
  const { refused, allowed } = denial;
  const whole = denialText(denial);
  if (fits(whole)) return whole;

  const text = (refusedNamed: number, allowedNamed: number): string =>
    denialText({ ...denial, refused: refused.slice(0, refusedNamed), allowed: allowed.slice(0, allowedNamed) });
  const refusedNamed = longestFit(refused.length, (count) => text(count, LEAST_ALLOWED_NAMED));
  const allowedNamed = longestFit(allowed.length, (count) => text(refusedNamed, count));
  // Naming fewer is enough for any job that anybody has; names and images of wide characters may still be too long.
  return shortenToBytes(text(refusedNamed, allowedNamed), MAX_MESSAGE_BYTES);
}

function fits(message: string): boolean {
  return utf8Length(message) <= MAX_MESSAGE_BYTES;
}

/** Returns the largest count, down to 1, whose text fits into a message. */
function longestFit(most: number, text: (count: number) => string): number {
  let count = most;
  while (count > 1 && !fits(text(count))) count -= 1;
  return count;
}

/** Writes one change with as much of its values as may be shown: `spec.x (1 → 4)`, `spec.y (added)`. */
export function describeChange(change: Change, type: FieldType): string {
  return changeText(fieldPath(change.path, type), shownValues(change, type));
}

/** Writes as much of a change's values as may be shown: `1 → 4`, or `changed`. */
export function shownValues({ op, path, oldValue, newValue }: Change, type: FieldType): string {
  const before = shownValue(oldValue, path, type);
  const after = shownValue(newValue, path, type);
  if (before !== undefined && after !== undefined) return `${before} → ${after}`;
  return { add: 'added', remove: 'removed', replace: 'changed' }[op];
}

/** The sides of a change as they may be shown; a side that is not there, or may not be shown, is left out. */
export interface ShownSides {
  readonly oldValue?: JsonScalar;
  readonly newValue?: JsonScalar;
}

/** Returns the sides of a change; none where one of them may not be shown. */
export function shownSides({ path, oldValue, newValue }: Change, type: FieldType): ShownSides {
  const before = shownValue(oldValue, path, type);
  const after = shownValue(newValue, path, type);
  if (before === undefined || after === undefined) return {};
  return { ...sideOf('oldValue', oldValue, before), ...sideOf('newValue', newValue, after) };
}

/** A text is shown as people read it. */
function sideOf(name: keyof ShownSides, value: JsonValue | undefined, shown: string): ShownSides {
  if (value === undefined) return {};
  return { [name]: typeof value === 'string' ? shown : value };
}

/** Returns a side of a change as it may be shown; undefined where it may not, `unset` where there is none. */
function shownValue(value: JsonValue | undefined, path: Path, type: FieldType): string | undefined {
  if (path.some((segment) => SECRET_FIELDS.has(segment))) return undefined;
  if (value === undefined) return 'unset';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (isExactNumber(value)) return shorten(value.source, MAX_VALUE_LENGTH);
  if (typeof value !== 'string') return undefined;
  return path.reduce(childType, type).isContainerImage ? printable(value, MAX_VALUE_LENGTH) : undefined;
}

function suspensionHint(
  policy: Policy,
  request: AdmissionRequest,
  { suspendPath }: GuardedResource,
  { denied }: Denial,
): string | undefined {
  if (suspendPath === undefined) return undefined;
  if (denied.every(({ path }) => isSame(path, suspendPath))) return suspendHint(pointer(suspendPath));

  const isOfSuspendedJob = isMap(request.oldObject) && isSuspended(request.oldObject, suspendPath);
  const isOfSpec = denied.every(({ path }) => path[0] === 'spec');
  return isOfSuspendedJob && isOfSpec && !policy.suspendedJobs ? SUSPENDED_JOB_HINT : undefined;
}

function isSame(path: Path, other: Path): boolean {
  return path.length === other.length && path.every((segment, index) => segment === other[index]);
}

/** Warns of changes to values that the operator misreads. */
function misreadWarnings(changes: readonly Change[], type: FieldType): string[] {
  return changes.flatMap((change) => {
    const warning = misreading(change);
    return warning === undefined ? [] : [fitForWarning(`${fieldPath(change.path, type)} ${warning}`)];
  });
}

/** Says in mode `warn` what `enforce` would refuse: a line a change, as many as there is room for, a summary, whom to ask. */
function denialWarnings(
  { causes, hint, contact }: Pick<Explanation, 'causes' | 'hint' | 'contact'>,
  deniedCount: number,
  room: number,
): string[] {
  const summary = [wouldDenyText(deniedCount), ...(hint === undefined ? [] : [hint]), ...contactWarnings(contact)];
  const changes = causes.slice(0, room - summary.length).map(({ field, message }) => `${field} ${message}`);
  return [...changes, ...summary].map(fitForWarning);
}

function contactWarnings(contact: string | undefined): string[] {
  return contact === undefined ? [] : [fitForWarning(contactText(contact))];
}

function fitForWarning(text: string): string {
  return shorten(text, MAX_WARNING_LENGTH);
}

function countFields(denied: readonly Change[]): Map<FieldClass, number> {
  const counts = new Map<FieldClass, number>();
  for (const { path } of denied) {
    const name = fieldClass(path);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
