import { objectsOf, type Named } from '../../src/commands/manifests/named.ts';
import { parsePatch, patched } from '../../src/commands/manifests/patch.ts';
import { updateRequest, type UpdateFlags } from '../../src/commands/check/update-request.ts';
import { verdictText } from '../../src/commands/check/verdict-text.ts';
import { UsageError } from '../../src/commands/usage-error.ts';
import type { AdmissionRequest } from '../../src/core/admission.ts';
import { decide, isAllowed, type JudgedChange, type Verdict } from '../../src/core/decide.ts';
import { describeChange, explain } from '../../src/core/explain.ts';
import { UNKNOWN } from '../../src/core/field-type.ts';
import type { Policy } from '../../src/core/policy.ts';
import { parseObjects, type ManifestObject } from '../../src/kube/manifest.ts';
import { loadPolicy, PolicyFileError } from '../../src/policy/load.ts';

/** How the new text becomes the new job: as kubectl apply, replace or patch sends it. */
export const FORMS = ['apply', 'replace', 'merge', 'json'] as const;
export type Form = (typeof FORMS)[number];

/** What the page asks. */
export interface Question {
  readonly old: string;
  readonly new: string;
  readonly form: Form;
  readonly policy: string;
  readonly user: string;
  /** Parted by commas. */
  readonly groups: string;
}

/** The texts that can be wrong. */
export type Input = 'old' | 'new' | 'policy';

/** Something that keeps the question from being answered. */
export interface Problem {
  readonly text: string;
  readonly input: Input | undefined;
  /** From 1; undefined where it is the whole text that is wrong. */
  readonly line: number | undefined;
  readonly column: number | undefined;
}

/** A change, and the lines that it is in; undefined where it is in none. */
export interface ShownChange {
  /** `spec.tfReplicaSpecs[Worker].replicas (1 → 4)` */
  readonly text: string;
  readonly permitted: boolean;
  readonly oldLine: number | undefined;
  readonly newLine: number | undefined;
}

/** What the page answers. */
export type Answer =
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] }
  | {
      readonly kind: 'verdict';
      /** Whether the API server stores the update. */
      readonly allowed: boolean;
      /** As kubectl prints it. */
      readonly output: string;
      readonly changes: readonly ShownChange[];
      /** How many changes are not among these. */
      readonly moreChanges: number;
      readonly policyHash: string;
    };

/** Judges as `jobguard check` does, by the mode of the policy. */
export function judge(question: Question, now: Date): Answer {
  const problems = tooLarge(question);
  if (problems.length > 0) return { kind: 'problems', problems };
  try {
    return answer(question, now);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { kind: 'problems', problems: [problemOf('an object or a patch is nested too deeply')] };
  }
}

const INPUTS: readonly Input[] = ['old', 'new', 'policy'];
/** As much as etcd stores of an object, more or less, and of a policy exactly; reading more would stop the page. */
const MAX_LENGTH = 1024 * 1024;

function tooLarge(question: Question): Problem[] {
  return INPUTS.filter((input) => question[input].length > MAX_LENGTH).map((input) =>
    problemOf(`${input}: is larger than 1 MiB`),
  );
}

function answer(question: Question, now: Date): Answer {
  const policy = attempt(() => loadPolicy(question.policy, { file: 'policy' }));
  const before = attempt(() => only(question.old, 'old'));
  const updated = attempt(() => readNew(question));
  if (policy.value === undefined || before.value === undefined || updated.value === undefined) {
    return { kind: 'problems', problems: [...before.problems, ...updated.problems, ...policy.problems] };
  }
  const update = attempt(() => updateOf(question, policy.value, before.value, updated.value(before.value)));
  if (update.value === undefined) return { kind: 'problems', problems: update.problems };
  return judged(policy.value, update.value, now);
}

/** Finds where a path is in a text. */
type PositionOf = ManifestObject['positionOf'];

/** A request, and where its changes are in the two texts. */
interface Update {
  readonly request: AdmissionRequest;
  readonly inOld: PositionOf;
  /** undefined for a JSON patch: its paths are in no order of the job's. */
  readonly inNew: PositionOf | undefined;
}

function updateOf(question: Question, policy: Policy, before: Named, after: Named): Update {
  const request = updateRequest(before, after, flagsOf(question, before, policy), policy);
  return { request, inOld: before.positionOf, inNew: positionsInNew(question, after) };
}

/** A merge patch has the shape of the job. */
function positionsInNew({ form, new: text }: Question, after: Named): PositionOf | undefined {
  if (!isPatch(form)) return after.positionOf;
  return form === 'merge' ? parseObjects(text, 'new')[0]?.positionOf : undefined;
}

function judged(policy: Policy, { request, inOld, inNew }: Update, now: Date): Answer {
  const verdict = decide(policy, request, now);
  const explanation = explain(policy, request, verdict);
  const allowed = isAllowed(verdict);
  const [headline = ''] = verdictText({ request, verdict, explanation }, false).split('\n');
  const changes = 'changes' in verdict.decision ? verdict.decision.changes : [];
  return {
    kind: 'verdict',
    allowed,
    output: [
      ...explanation.warnings.map((warning) => `Warning: ${warning}`),
      allowed ? headline : `${REFUSED}${explanation.message}`,
    ].join('\n'),
    changes: changes.slice(0, MAX_CHANGES).map((change) => ({
      text: changeText(change, verdict),
      permitted: change.permitted,
      oldLine: change.op === 'add' ? undefined : inOld(change.path).line,
      newLine: change.op === 'remove' ? undefined : inNew?.(change.path).line,
    })),
    moreChanges: Math.max(0, changes.length - MAX_CHANGES),
    policyHash: policy.hash,
  };
}

/** What kubectl prints before a message; the name is that of the chart's webhook. */
const REFUSED = 'Error from server (Forbidden): admission webhook "jobs.jobguard.dev" denied the request: ';
/** More than anybody reads. */
const MAX_CHANGES = 100;

function changeText(change: JudgedChange, { resource }: Verdict): string {
  const by = change.exemption === undefined ? '' : `, by the exemption "${change.exemption}"`;
  return `${describeChange(change, resource?.type ?? UNKNOWN)}${by}`;
}

function isPatch(form: Form): form is 'merge' | 'json' {
  return form === 'merge' || form === 'json';
}

/** Returns the one object of a text. */
function only(text: string, input: Input): Named {
  const objects = objectsOf(text, input);
  const [first, ...others] = objects;
  if (first !== undefined && others.length === 0) return first;
  throw new UsageError([`${input}: contains ${objects.length} objects; one is judged here`]);
}

/** Reads the new text, and returns what makes the new job of the old one. */
function readNew({ form, new: text }: Question): (before: Named) => Named {
  if (!isPatch(form)) {
    const object = only(text, 'new');
    return () => object;
  }
  const value = parsePatch(text, 'new');
  return (before) => patched(before, { name: 'new', value, type: form });
}

function flagsOf({ form, user, groups }: Question, before: Named, policy: Policy): UpdateFlags {
  const asGroup = groups.split(',').flatMap((group) => (group.trim() === '' ? [] : [group.trim()]));
  const scaled = before.kind === 'Scale' ? { subresource: 'scale' as const, resource: scalable(policy) } : {};
  return { as: user.trim(), asGroup, replace: form !== 'apply', ...scaled };
}

/** A Scale does not say of which resource it is: here it is of the first that has a `/scale`. */
function scalable({ resources }: Policy): string {
  const [name = ''] = [...resources].find(([, { scaleReplicasPath }]) => scaleReplicasPath !== undefined) ?? [];
  return name;
}

type Attempt<T> =
  | { readonly value: T; readonly problems: readonly [] }
  | { readonly value: undefined; readonly problems: readonly Problem[] };

function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { value: read(), problems: [] };
  } catch (error) {
    if (error instanceof UsageError || error instanceof PolicyFileError) {
      return { value: undefined, problems: error.problems.map(problemOf) };
    }
    throw error;
  }
}

const PLACE = /^(?<input>old|new|policy):(?:(?<line>\d+):(?<column>\d+):)? /;

/** Finds out of which text a problem speaks, and where in it: `policy:3:5: mode: must be one of …`. */
function problemOf(problem: string): Problem {
  const match = PLACE.exec(problem);
  const { input, line, column } = match?.groups ?? {};
  return {
    text: problem.slice(match?.[0].length ?? 0),
    input: INPUTS.find((name) => name === input),
    line: line === undefined ? undefined : Number(line),
    column: column === undefined ? undefined : Number(column),
  };
}
