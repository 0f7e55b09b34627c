import type { AdmissionRequest } from './admission.ts';
import { diff, type Change, type IsMixed, type Report } from './diff.ts';
import { sameScalar } from './equality.ts';
import { UNKNOWN } from './field-type.ts';
import { type ExactNumber, isExactNumber, isMap, type JsonMap, type JsonValue, ownValue } from './json.ts';
import { type Pattern, valueAt } from './path.ts';
import { grantOver, hasGrantBelow } from './pattern-tree.ts';
import { guardedResource, type Grant, type GuardedResource, type Mode, type Policy } from './policy.ts';

/** A change, and whether this writer may make it. */
export interface JudgedChange extends Change {
  readonly permitted: boolean;
  /** The exemption that was needed; undefined where the change is refused, or permitted to everybody. */
  readonly exemption: string | undefined;
}

/**
 * What is decided about a request. A denial is a value, never an exception.
 * `changes` are ordered by path, the permitted ones among them; past 10 000, or 200 000 segments of their paths, they are
 * only counted.
 */
export type Decision =
  | { readonly outcome: 'out_of_scope' }
  /** The object, not the program, is why no judgement is possible. */
  | { readonly outcome: 'unjudgeable'; readonly reason: UnjudgeableReason }
  | { readonly outcome: 'allow'; readonly changes: readonly JudgedChange[] }
  | {
      readonly outcome: 'exempt';
      readonly changes: readonly JudgedChange[];
      readonly exemptions: readonly [string, ...string[]];
    }
  | {
      readonly outcome: 'deny';
      readonly changes: readonly JudgedChange[];
      readonly denied: readonly [JudgedChange, ...JudgedChange[]];
      readonly deniedCount: number;
    };

/** Why an update of a guarded resource cannot be judged. */
export type UnjudgeableReason =
  | 'unknownSubresource'
  | 'noObjects'
  /** Nothing of the objects was read: that would have taken too much memory or time. */
  | 'tooManyValues'
  | 'noScalePath'
  | 'noReplicas';

/** A decision and what it was made by. */
export interface Verdict {
  readonly decision: Decision;
  /** The mode in force in the namespace; it decides only what is answered. */
  readonly mode: Mode;
  /** undefined where the policy does not guard the resource; the request is out of scope then. */
  readonly resource: GuardedResource | undefined;
}

/** Tells whether a verdict lets the request through. */
export function isAllowed({ decision, mode }: Pick<Verdict, 'decision' | 'mode'>): boolean {
  return mode !== 'enforce' || (decision.outcome !== 'deny' && decision.outcome !== 'unjudgeable');
}

/** What may be granted to the writer of one update, and which of that is in force. */
interface Permissions {
  readonly resource: GuardedResource;
  readonly isInForce: (grant: Grant) => boolean;
}

/** Judges an admission request; `now` tells which exemptions have expired. */
export function decide(policy: Policy, request: AdmissionRequest, now: Date): Verdict {
  const resource = guardedResource(policy, request.resource.group, request.resource.resource);
  const exemptions = exemptionsOnce(policy, request, now);
  const decision: Decision =
    resource === undefined || !isUpdateOfJob(request)
      ? { outcome: 'out_of_scope' }
      : decideUpdate(policy, request, resource, exemptions);
  return { decision, mode: policy.modeOf(request.namespace), resource };
}

/** Tells whether a request updates what a user writes, and not only the status. */
function isUpdateOfJob({ operation, subResource }: AdmissionRequest): boolean {
  return operation === 'UPDATE' && subResource !== 'status';
}

/** Finds a writer's exemptions when they are first asked for: an update that changes nothing needs none. */
function exemptionsOnce(policy: Policy, request: AdmissionRequest, now: Date): () => Uint8Array {
  let found: Uint8Array | undefined;
  return () => (found ??= policy.exemptionsOf(request.user, request.namespace, now));
}

function decideUpdate(
  policy: Policy,
  request: AdmissionRequest,
  resource: GuardedResource,
  exemptions: () => Uint8Array,
): Decision {
  if (request.subResource !== '' && request.subResource !== 'scale') {
    return { outcome: 'unjudgeable', reason: 'unknownSubresource' };
  }
  if (!isMap(request.object) || !isMap(request.oldObject)) {
    return { outcome: 'unjudgeable', reason: 'noObjects' };
  }
  if (request.subResource === 'scale') {
    const permissions = permissionsOf(policy, resource, {}, exemptions);
    return decideScale(permissions, request.oldObject, request.object);
  }

  const permissions = permissionsOf(policy, resource, request.oldObject, exemptions);
  const judgement = createJudgement(permissions);
  // Also below what an exemption covers: what everybody may change there needs none.
  const isMixed: IsMixed = (path, since) => hasGrantBelow(resource.permissions, path, permissions.isInForce, since);
  diff(request.oldObject, request.object, resource.type, { isMixed, report: judgement.report });
  return judgement.decision();
}

/** A change of a Scale's `spec.replicas` is the change of the job's own field; the rest of a Scale is not the job's. */
function decideScale(permissions: Permissions, oldScale: JsonMap, newScale: JsonMap): Decision {
  const path = permissions.resource.scaleReplicasPath;
  if (path === undefined) return { outcome: 'unjudgeable', reason: 'noScalePath' };
  const oldValue = replicasOf(oldScale);
  const newValue = replicasOf(newScale);
  if (oldValue === undefined || newValue === undefined) return { outcome: 'unjudgeable', reason: 'noReplicas' };
  const judgement = createJudgement(permissions);
  if (!sameScalar(oldValue, newValue, UNKNOWN)) judgement.report({ op: 'replace', oldValue, newValue }, path, Infinity);
  return judgement.decision();
}

/** Reads `spec.replicas` of a Scale, where absent is 0; undefined where it is no number. */
function replicasOf(scale: JsonMap): number | ExactNumber | undefined {
  const spec = ownValue(scale, 'spec') ?? {};
  const replicas: JsonValue | undefined = isMap(spec) ? (ownValue(spec, 'replicas') ?? 0) : undefined;
  return typeof replicas === 'number' || isExactNumber(replicas) ? replicas : undefined;
}

function permissionsOf(
  policy: Policy,
  resource: GuardedResource,
  oldObject: JsonMap,
  exemptions: () => Uint8Array,
): Permissions {
  const isInForce = (grant: Grant): boolean => {
    switch (grant.kind) {
      case 'exemption': // first: a policy may have a thousand
        return exemptions()[grant.rank] === 1;
      case 'always':
        return true;
      case 'whileTerminating':
        return isTerminating(oldObject);
      case 'whileSuspended':
        return policy.suspendedJobs && isSuspended(oldObject, resource.suspendPath);
    }
  };
  return { resource, isInForce };
}

/** Tells whether the deletion of a stored object has begun. */
function isTerminating(oldObject: JsonMap): boolean {
  return typeof valueAt(oldObject, ['metadata', 'deletionTimestamp']) === 'string';
}

/** Tells whether a stored job is suspended. */
export function isSuspended(oldObject: JsonMap, suspendPath: Pattern | undefined): boolean {
  return suspendPath !== undefined && valueAt(oldObject, suspendPath) === true;
}

/**
 * Most changes that a decision lists; the rest are judged and counted. Nobody reads more, and an update of 3 MiB can make
 * more than a million.
 */
const MAX_LISTED_CHANGES = 10_000;

/**
 * Most segments in the paths of the listed changes: 20 a change, more than a job has levels. Of the deepest changes that
 * the API server takes, 10 000 levels, it lists 20; a message names 10.
 */
const MAX_LISTED_SEGMENTS = 200_000;

/** Judges changes one by one, and keeps what the decision takes. */
function createJudgement({ resource, isInForce }: Permissions): {
  readonly report: Report;
  readonly decision: () => Decision;
} {
  const changes: JudgedChange[] = [];
  const exemptions = new Set<string>();
  let deniedCount = 0;
  let segments = 0;

  const report: Report = (difference, path, since) => {
    const grant = grantOver(resource.permissions, path, isInForce, since);
    const exemption = exemptionNamed(grant);
    if (grant === undefined) deniedCount += 1;
    if (exemption !== undefined) exemptions.add(exemption);
    // The first that is denied is listed however many permitted ones come before it.
    segments += path.length;
    const hasRoom = changes.length < MAX_LISTED_CHANGES && segments <= MAX_LISTED_SEGMENTS;
    if (hasRoom || (grant === undefined && deniedCount === 1)) {
      changes.push({ ...difference, path: [...path], permitted: grant !== undefined, exemption });
    }
  };
  const decision = (): Decision => {
    const [denied, ...others] = changes.filter(({ permitted }) => !permitted);
    if (denied !== undefined) return { outcome: 'deny', changes, denied: [denied, ...others], deniedCount };
    const [exemption, ...more] = exemptions;
    return exemption === undefined
      ? { outcome: 'allow', changes }
      : { outcome: 'exempt', changes, exemptions: [exemption, ...more] };
  };
  return { report, decision };
}

function exemptionNamed(grant: Grant | undefined): string | undefined {
  return grant?.kind === 'exemption' ? grant.name : undefined;
}
