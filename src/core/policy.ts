import type { User } from './admission.ts';
import type { FieldType } from './field-type.ts';
import type { Path, Pattern } from './path.ts';
import type { PatternTree } from './pattern-tree.ts';
import { resourceName } from './resource-name.ts';

export type Mode = 'enforce' | 'warn' | 'audit';

/** A policy in the form in which it is applied. */
export interface Policy {
  /** Names the complete policy in logs, metrics and audit annotations. */
  readonly hash: string;
  readonly modeOf: (namespace: string) => Mode;
  /** Those that `modeOf` can return. */
  readonly modes: readonly Mode[];
  /** By `resourceName`: see `guardedResource`. */
  readonly resources: ReadonlyMap<string, GuardedResource>;
  readonly exemptions: readonly Exemption[];
  /** Finds the exemptions that a writer has at a moment: 1 at the rank of each. */
  readonly exemptionsOf: (user: User, namespace: string, now: Date) => Uint8Array;
  readonly suspendedJobs: boolean;
  /** Whom to ask; ends every denial. */
  readonly contact: string | undefined;
  readonly dormantPresets: readonly DormantPreset[];
}

export interface GuardedResource {
  readonly group: string;
  readonly resource: string;
  readonly type: FieldType;
  /** What everybody may change. */
  readonly allow: readonly Pattern[];
  /** The same as people read it: `spec.runPolicy.cleanPodPolicy`. */
  readonly allowedFields: readonly string[];
  /** The same in short, each once: `cleanPodPolicy`. */
  readonly allowedNames: readonly string[];
  readonly permissions: PatternTree<Grant>;
  readonly scaleReplicasPath: Path | undefined;
  /** Where the kind says whether it is suspended; undefined where it cannot be. */
  readonly suspendPath: Pattern | undefined;
}

/** What permits a change of some paths. Where several do, the one of the lowest rank is named. */
export type Grant = StandingGrant | Exemption;

/** To every writer: always, while the job is being deleted, or while it is suspended. */
export interface StandingGrant {
  readonly kind: 'always' | 'whileTerminating' | 'whileSuspended';
  readonly rank: number;
}

/** To the writers that it names. */
export interface Exemption {
  readonly kind: 'exemption';
  readonly rank: number;
  readonly name: string;
  /** When it ends, in milliseconds since 1970; undefined where it does not. */
  readonly expiresMs: number | undefined;
}

/** A preset that is off: what a hint to its writer needs. */
export interface DormantPreset {
  readonly name: string;
  readonly title: string;
  readonly covers: (username: string) => boolean;
}

/** Returns the guarded resource of a group and plural name; undefined where the policy does not guard it. */
export function guardedResource(policy: Policy, group: string, resource: string): GuardedResource | undefined {
  return policy.resources.get(resourceName(group, resource));
}
