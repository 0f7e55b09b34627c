import type { AdmissionRequest } from './admission.ts';
import { diff, type Change } from './diff.ts';
import { sameScalar } from './equality.ts';
import { UNKNOWN } from './field-type.ts';
import { ExactNumber, isMap, ownValue, type JsonMap, type JsonValue } from './json.ts';
import type { Path } from './path.ts';
import { grantOver, hasGrantBelow } from './pattern-tree.ts';
import {
  FIRST_EXEMPTION_GRANT,
  guardedResource,
  POLICY_GRANT,
  SUSPENDED_GRANT,
  TERMINATING_GRANT,
  type GuardedResource,
  type Mode,
  type Policy,
} from './policy.ts';

/** A change, and whether this writer may make it. */
export interface JudgedChange extends Change {
  readonly permitted: boolean;
  /** The exemption that was needed; undefined where the change is refused, or permitted to everybody. */
  readonly exemption: string | undefined;
}

/**
 * What is decided about a request. A denial is a value, never an exception.
 * `changes` are ordered by path, the permitted ones among them.
 */
export type Decision =
  | { readonly outcome: 'out_of_scope' }
  /** The object, not the program, is why no judgement is possible; `reason` says so to its writer. */
  | { readonly outcome: 'unjudgeable'; readonly reason: string }
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
    };

/** A decision and the mode in force where it was made; the mode decides only what is answered. */
export interface Verdict {
  readonly decision: Decision;
  readonly mode: Mode;
}

/** What may be granted to the writer of one update, and which of that is in force. */
interface Permissions {
  readonly resource: GuardedResource;
  readonly exemptionOf: (grant: number) => string | undefined;
  readonly isInForce: (grant: number) => boolean;
}

/** Judges an admission request. */
export function decide(policy: Policy, request: AdmissionRequest): Verdict {
  return { decision: decideRequest(policy, request), mode: policy.modeOf(request.namespace) };
}

function decideRequest(policy: Policy, request: AdmissionRequest): Decision {
  const resource = guardedResource(policy, request.resource.group, request.resource.resource);
  if (request.operation !== 'UPDATE' || resource === undefined || request.subResource === 'status') {
    return { outcome: 'out_of_scope' };
  }
  if (request.subResource !== '' && request.subResource !== 'scale') {
    return { outcome: 'unjudgeable', reason: 'an update of this subresource cannot be checked' };
  }
  if (request.object === undefined || request.oldObject === undefined) {
    return { outcome: 'unjudgeable', reason: 'the object is nested too deeply to be checked' };
  }
  if (!isMap(request.object) || !isMap(request.oldObject)) {
    return { outcome: 'unjudgeable', reason: 'the request carries no old and new object to compare' };
  }
  if (request.subResource === 'scale') return decideScale(policy, request, resource, request.oldObject, request.object);

  const permissions = permissionsOf(policy, request, resource, request.oldObject);
  return decideChanges(changesOf(resource, permissions, request.oldObject, request.object), permissions);
}

function changesOf(
  resource: GuardedResource,
  { isInForce }: Permissions,
  oldObject: JsonMap,
  newObject: JsonMap,
): readonly Change[] {
  // Also below what an exemption covers: what everybody may change there needs none.
  const isMixed = (path: Path): boolean => hasGrantBelow(resource.permissions, path, isInForce);
  return diff(oldObject, newObject, resource.type, isMixed);
}

/** A change of a Scale's `spec.replicas` is the change of the job's own field; the rest of a Scale is not the job's. */
function decideScale(
  policy: Policy,
  request: AdmissionRequest,
  resource: GuardedResource,
  oldScale: JsonMap,
  newScale: JsonMap,
): Decision {
  const path = resource.scaleReplicasPath;
  if (path === undefined) {
    return {
      outcome: 'unjudgeable',
      reason: 'the policy gives no scaleReplicasPath, so that /scale cannot be checked',
    };
  }
  const oldValue = replicasOf(oldScale);
  const newValue = replicasOf(newScale);
  if (oldValue === undefined || newValue === undefined) {
    return { outcome: 'unjudgeable', reason: 'the replicas of a Scale must be a number' };
  }
  const changes: Change[] = sameScalar(oldValue, newValue, UNKNOWN)
    ? []
    : [{ op: 'replace', path, oldValue, newValue }];
  return decideChanges(changes, permissionsOf(policy, request, resource, {}));
}

/** Reads `spec.replicas` of a Scale, where absent is 0; undefined where it is no number. */
function replicasOf(scale: JsonMap): number | ExactNumber | undefined {
  const spec = ownValue(scale, 'spec') ?? {};
  const replicas: JsonValue | undefined = isMap(spec) ? (ownValue(spec, 'replicas') ?? 0) : undefined;
  return typeof replicas === 'number' || replicas instanceof ExactNumber ? replicas : undefined;
}

function permissionsOf(
  policy: Policy,
  request: AdmissionRequest,
  resource: GuardedResource,
  oldObject: JsonMap,
): Permissions {
  let isExempted: ((place: number) => boolean) | undefined;
  const isInForce = (grant: number): boolean => {
    if (grant === POLICY_GRANT) return true;
    if (grant === TERMINATING_GRANT) return isTerminating(oldObject);
    if (grant === SUSPENDED_GRANT) return policy.suspendedJobs && isSuspended(oldObject);
    // Found when first asked for: an update that changes nothing needs none.
    isExempted ??= policy.exemptionsOf(request.user, request.namespace);
    return isExempted(grant - FIRST_EXEMPTION_GRANT);
  };
  return { resource, isInForce, exemptionOf: (grant) => policy.exemptions[grant - FIRST_EXEMPTION_GRANT]?.name };
}

/** Tells whether the deletion of a stored object has begun. */
function isTerminating(oldObject: JsonMap): boolean {
  return typeof valueAt(oldObject, ['metadata', 'deletionTimestamp']) === 'string';
}

/** Tells whether a stored job is suspended. */
export function isSuspended(oldObject: JsonMap): boolean {
  return valueAt(oldObject, ['spec', 'runPolicy', 'suspend']) === true;
}

function valueAt(object: JsonMap, keys: readonly string[]): JsonValue | undefined {
  return keys.reduce<JsonValue | undefined>((at, key) => (isMap(at) ? ownValue(at, key) : undefined), object);
}

function decideChanges(found: readonly Change[], permissions: Permissions): Decision {
  const changes = found.map((change) => judge(change, permissions));
  const [first, ...others] = changes.filter(({ permitted }) => !permitted);
  if (first !== undefined) return { outcome: 'deny', changes, denied: [first, ...others] };

  const needed = changes.map(({ exemption }) => exemption).filter((name) => name !== undefined);
  const [exemption, ...more] = new Set(needed);
  return exemption === undefined
    ? { outcome: 'allow', changes }
    : { outcome: 'exempt', changes, exemptions: [exemption, ...more] };
}

function judge(change: Change, { resource, isInForce, exemptionOf }: Permissions): JudgedChange {
  const grant = grantOver(resource.permissions, change.path, isInForce);
  const exemption = grant === undefined ? undefined : exemptionOf(grant);
  return { ...change, permitted: grant !== undefined, exemption };
}
