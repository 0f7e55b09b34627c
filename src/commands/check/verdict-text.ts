import { styleText } from 'node:util';

import type { AdmissionRequest } from '../../core/admission.ts';
import { isAllowed, type JudgedChange, type Verdict } from '../../core/decide.ts';
import { contactText, refusalText, UNJUDGEABLE_TEXTS } from '../../core/denial-text.ts';
import { describeChange, shownSides, shownValues, type Explanation } from '../../core/explain.ts';
import { UNKNOWN, type FieldType } from '../../core/field-type.ts';
import { fieldPath, printablePointer } from '../../core/field-path.ts';
import type { JsonScalar } from '../../core/json.ts';
import type { Path } from '../../core/path.ts';
import type { GuardedResource, Mode } from '../../core/policy.ts';
import { resourceName } from '../../core/resource-name.ts';
import { MAX_NAME_LENGTH, printable } from '../../core/text.ts';

/** A request, and what a policy says to it. */
export interface Judgement {
  readonly request: AdmissionRequest;
  readonly verdict: Verdict;
  /** Of the verdict in mode `enforce`, whatever the mode is. */
  readonly explanation: Explanation;
  /** Whether the jobguard of a cluster has judged, whose policy nobody here knows. */
  readonly isServed?: boolean;
}

/** A judgement as programs read it; what is null has nothing to say. */
export interface VerdictDocument {
  /** Whether mode `enforce` would allow it, whatever the mode is. */
  readonly allowed: boolean;
  readonly decision: Verdict['decision']['outcome'];
  /** The mode in force in the namespace. */
  readonly mode: Mode;
  /** The names of the exemptions that were needed: `kueue`, `kueue,admins`. */
  readonly exemption: string | null;
  readonly changes: readonly ChangeDocument[];
  /** Why it is refused, cannot be judged or is not the policy's business. */
  readonly message: string | null;
  /** How the policy could allow it. */
  readonly hint: string | null;
  readonly warnings: readonly string[];
}

interface ChangeDocument {
  /** A JSON Pointer. */
  readonly path: string;
  /** The same place, written the Kubernetes way. */
  readonly field: string;
  readonly op: JudgedChange['op'];
  readonly permitted: boolean;
  /** The values, where they may be shown and there are any. */
  readonly oldValue?: JsonScalar;
  readonly newValue?: JsonScalar;
}

/** Writes a judgement for programs. */
export function verdictDocument(judgement: Judgement): VerdictDocument {
  const { decision, mode } = judgement.verdict;
  const { hint = null, warnings } = judgement.explanation;
  const type = typeOf(judgement);
  return {
    allowed: isAllowed({ decision, mode: 'enforce' }),
    decision: decision.outcome,
    mode,
    exemption: decision.outcome === 'exempt' ? decision.exemptions.join(',') : null,
    changes: changesOf(judgement).map((change) => ({
      path: printablePointer(change.path),
      field: fieldPath(change.path, type),
      op: change.op,
      permitted: change.permitted,
      ...shownSides(change, type),
    })),
    message: messageOf(judgement),
    hint,
    warnings,
  };
}

/** Writes a judgement for people. */
export function verdictText(judgement: Judgement, hasColour: boolean): string {
  const paint = (style: Style, text: string): string =>
    hasColour ? styleText(style, text, { validateStream: false }) : text;
  const paragraphs = [
    [headline(judgement, paint)],
    changesOf(judgement).map((change) => changeLine(change, typeOf(judgement), paint)),
    wayOut(judgement),
    judgement.explanation.warnings.map((text) => `${paint('yellow', 'Warning:')} ${text}`),
    modeNote(judgement),
    contactLine(judgement),
  ];
  return paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

type Style = 'red' | 'green' | 'yellow';
type Paint = (style: Style, text: string) => string;

function headline(judgement: Judgement, paint: Paint): string {
  const { decision } = judgement.verdict;
  const object = objectName(judgement.request);
  switch (decision.outcome) {
    case 'allow':
      return `${paint('green', 'Allowed:')} ${object} ${decision.changes.length === 0 ? 'does not change' : 'may be updated'}`;
    case 'exempt':
      return `${paint('green', 'Allowed:')} ${object} may be updated by this writer`;
    case 'out_of_scope':
      return `${paint('green', 'Allowed:')} ${outOfScope(judgement)}`;
    case 'deny':
      return `${paint('red', 'Denied:')} ${refusalText(object)}`;
    case 'unjudgeable':
      return `${paint('red', 'Cannot be judged:')} ${UNJUDGEABLE_TEXTS[decision.reason]}`;
  }
}

/** Names the object of a request: `tfjobs.kubeflow.org "mnist" in namespace "research"`. */
export function objectName({ resource, name, namespace, subResource }: AdmissionRequest): string {
  const subject = `${qualified(resource)}${subResource === '' ? '' : `/${subResource}`} "${printable(name, MAX_NAME_LENGTH)}"`;
  return namespace === '' ? subject : `${subject} in namespace "${printable(namespace, MAX_NAME_LENGTH)}"`;
}

function qualified({ group, resource }: AdmissionRequest['resource']): string {
  return printable(resourceName(group, resource), MAX_NAME_LENGTH);
}

function outOfScope({ request, verdict }: Judgement): string {
  const { operation, subResource, resource } = request;
  if (verdict.resource === undefined) return `the policy does not guard ${qualified(resource)}`;
  return operation === 'UPDATE'
    ? `/${subResource} is not guarded`
    : `only UPDATE requests are judged; this one is ${printable(operation, MAX_NAME_LENGTH)}`;
}

const LABEL_WIDTH = 'permitted'.length;

function changeLine(change: JudgedChange, type: FieldType, paint: Paint): string {
  const [style, label] = change.permitted ? (['green', 'permitted'] as const) : (['red', 'refused'] as const);
  const by = change.exemption === undefined ? '' : `, by the exemption "${change.exemption}"`;
  return `  ${paint(style, label.padEnd(LABEL_WIDTH))}  ${describeChange(change, type)}${by}`;
}

/** Says how what is refused can be had. */
function wayOut({ verdict, explanation: { wayOut = '', hint }, isServed = false }: Judgement): string[] {
  const { decision, resource } = verdict;
  if (decision.outcome !== 'deny') return [];
  if (isServed) return [wayOut].filter((text) => text !== '');
  return [...allowedLines(resource), wayOut, ...(hint === undefined ? [] : [`Hint: ${hint}.`])];
}

function allowedLines(resource: GuardedResource | undefined): string[] {
  const allowed = (resource?.allowedFields ?? []).map((field) => `  ${field}`);
  return allowed.length === 0 ? ['Nothing may change.'] : ['Only these may change:', ...allowed];
}

const MODE_NOTES: Readonly<Record<Exclude<Mode, 'enforce'>, string>> = {
  warn: 'Mode "warn" applies here: the webhook allows this update, with warnings.',
  audit: 'Mode "audit" applies here: the webhook allows this update and records it.',
};

function modeNote({ verdict: { decision, mode } }: Judgement): string[] {
  return mode === 'enforce' || isAllowed({ decision, mode: 'enforce' }) ? [] : [MODE_NOTES[mode]];
}

function contactLine({ explanation: { contact } }: Judgement): string[] {
  return contact === undefined ? [] : [contactText(contact)];
}

/** A refused change, as it is named to people. */
export interface RefusedChange {
  readonly path: Path;
  readonly field: string;
  /** `1 → 4`, or `changed` where values may not be shown. */
  readonly values: string;
}

/** Returns the changes that are refused, in the order of their paths. */
export function refusedChanges(judgement: Judgement): RefusedChange[] {
  const type = typeOf(judgement);
  return changesOf(judgement)
    .filter(({ permitted }) => !permitted)
    .map((change) => ({ path: change.path, field: fieldPath(change.path, type), values: shownValues(change, type) }));
}

function messageOf(judgement: Judgement): string | null {
  if (judgement.verdict.decision.outcome === 'out_of_scope') return outOfScope(judgement);
  const { message } = judgement.explanation;
  return message === '' ? null : message;
}

function changesOf({ verdict: { decision } }: Judgement): readonly JudgedChange[] {
  return 'changes' in decision ? decision.changes : [];
}

/** Returns the type of the object; of a resource that is not guarded nothing is known. */
function typeOf({ verdict: { resource } }: Judgement): FieldType {
  return resource?.type ?? UNKNOWN;
}
