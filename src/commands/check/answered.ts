import type { AdmissionRequest } from '../../core/admission.ts';
import { decide, type Decision, type JudgedChange, type Verdict } from '../../core/decide.ts';
import { diff, type Change } from '../../core/diff.ts';
import { explain, type Explanation } from '../../core/explain.ts';
import { fieldPath } from '../../core/field-path.ts';
import { UNKNOWN, type FieldType } from '../../core/field-type.ts';
import { isMap, type JsonValue } from '../../core/json.ts';
import { type Path, valueAt } from '../../core/path.ts';
import { guardedResource, type Policy } from '../../core/policy.ts';
import type { ServedDenial } from '../../kube/served-denial.ts';
import type { Judgement } from './verdict-text.ts';

/** What the API server of a cluster has answered to the dry run of an update. */
export interface Answer {
  /** undefined where nothing is refused. */
  readonly denial: ServedDenial | undefined;
}

/** Returns the judgement that a cluster has given. The policy says only which kinds there are, and what their fields. */
export function answeredJudgement(policy: Policy, request: AdmissionRequest, { denial }: Answer): Judgement {
  return denial === undefined ? allowed(policy, request) : denied(policy, request, denial);
}

function allowed(policy: Policy, request: AdmissionRequest): Judgement {
  const verdict = decide(policy, request, new Date(0));
  // Of what the program does not know, it is not known what has changed.
  const decision: Decision =
    'changes' in verdict.decision
      ? { outcome: 'allow', changes: verdict.decision.changes.map(permitted) }
      : verdict.decision;
  const answered: Verdict = { ...verdict, decision, mode: 'enforce' };
  return { request, verdict: answered, explanation: explain(policy, request, answered) };
}

function permitted(change: Change): JudgedChange {
  return { ...change, permitted: true, exemption: undefined };
}

/** What is said of a denial beside its changes. */
const NOTHING_ELSE: Omit<Explanation, 'message' | 'wayOut'> = {
  causes: [],
  hint: undefined,
  contact: undefined,
  warnings: [],
  annotations: {},
  deniedPaths: [],
  deniedFields: new Map(),
};

function denied(policy: Policy, request: AdmissionRequest, denial: ServedDenial): Judgement {
  const { mode, message, count, advice } = denial;
  const { group, resource: plural } = request.resource;
  const resource = guardedResource(policy, group, plural);
  const changes = changesOf(request, denial, resource?.type ?? UNKNOWN);
  const [first = unknownChange(denial), ...others] = changes.filter((change) => !change.permitted);
  const decision: Decision = { outcome: 'deny', changes, denied: [first, ...others], deniedCount: count };
  const explanation = { ...NOTHING_ELSE, message, wayOut: advice };
  return { request, verdict: { decision, mode, resource }, explanation, isServed: true };
}

/**
 * Sorts the changes of an update by the fields that a denial names. Where it names only some of what it refuses, nothing
 * can be said of the others.
 */
function changesOf({ oldObject, object }: AdmissionRequest, denial: ServedDenial, type: FieldType): JudgedChange[] {
  if (!isMap(oldObject) || !isMap(object)) return [];
  const namesAll = denial.fields.length === denial.count;
  const fields = new Set(denial.fields);
  const found = new Map<string, JudgedChange>();
  diff(oldObject, object, type, {
    isMixed: () => true,
    report: (difference, path) => {
      const length = path.findIndex((_segment, index) => fields.has(fieldPath(path.slice(0, index + 1), type))) + 1;
      const refused = path.slice(0, length);
      if (length > 0) found.set(JSON.stringify(refused), refusedChange(refused, oldObject, object));
      else if (namesAll) found.set(JSON.stringify(path), permitted({ ...difference, path: [...path] }));
    },
  });
  return [...found.values()];
}

function refusedChange(path: Path, oldObject: JsonValue, object: JsonValue): JudgedChange {
  const [oldValue, newValue] = [valueAt(oldObject, path), valueAt(object, path)];
  const op = oldValue === undefined ? 'add' : newValue === undefined ? 'remove' : 'replace';
  return { op, path, oldValue, newValue, permitted: false, exemption: undefined };
}

/** Of a field that is not where the update changes something: a webhook in between may have changed it. */
function unknownChange({ fields: [field = ''] }: ServedDenial): JudgedChange {
  return { op: 'replace', path: [field], oldValue: {}, newValue: {}, permitted: false, exemption: undefined };
}
