import { fieldPath } from '../core/field-path.ts';
import type { Pattern } from '../core/path.ts';
import { grantOver, hasGrantBelow } from '../core/pattern-tree.ts';
import type { Grant, GuardedResource, StandingGrant } from '../core/policy.ts';
import { resourceName } from '../core/resource-name.ts';
import { compilePolicy } from './compile.ts';
import type { CompleteExemption, CompletePolicy, PresetWriters } from './document.ts';
import { parseMoment } from './moment.ts';
import { PRESET_NAMES } from './presets.ts';

/** Who may change a field of a guarded resource, and why. */
export interface FieldExplanation {
  /** `tfjobs.kubeflow.org` */
  readonly resource: string;
  /** The field as people read it: `spec.runPolicy.suspend`. */
  readonly field: string;
  readonly writers: readonly Permission[];
}

/** What lets some writers change a field. */
export interface Permission {
  readonly by: 'allow' | 'deletion' | 'suspendedJobs' | 'preset' | 'exemption';
  /** The preset's or the exemption's name; null where everybody may. */
  readonly name: string | null;
  /** Whether they may change only parts of the field, and not the whole. */
  readonly partly: boolean;
  readonly usernames: readonly string[];
  readonly groups: readonly string[];
  readonly namespaces: readonly string[];
  readonly reason: string | null;
  /** The day or the moment from which it no longer counts. */
  readonly expires: string | null;
  /** Whether it no longer counts. */
  readonly expired: boolean;
}

type Terms = Omit<Permission, 'partly'>;

const EVERYBODY: Terms = {
  by: 'allow',
  name: null,
  usernames: ['*'],
  groups: [],
  namespaces: ['*'],
  reason: null,
  expires: null,
  expired: false,
};

/** What a standing grant is called after. */
const STANDING: Readonly<Record<StandingGrant['kind'], Permission['by']>> = {
  always: 'allow',
  whileTerminating: 'deletion',
  whileSuspended: 'suspendedJobs',
};

/**
 * Explains who may change a field at a moment, in every guarded resource; a `*` of the path stands for whatever is there.
 */
export function explainField(path: Pattern, complete: CompletePolicy, now: Date): FieldExplanation[] {
  const policy = compilePolicy(complete);
  const terms = termsOf(complete, now);
  return [...policy.resources.values()].map((guarded) => ({
    resource: resourceName(guarded.group, guarded.resource),
    field: fieldPath(path, guarded.type),
    writers: terms.flatMap(({ isGrant, ...permission }) => {
      const partly = partOf(guarded, path, isGrant);
      return partly === undefined ? [] : [{ ...permission, partly }];
    }),
  }));
}

/** Tells whether a grant covers only parts of a field; undefined where it covers nothing of it. */
function partOf(
  { permissions }: GuardedResource,
  path: Pattern,
  isGrant: (grant: Grant) => boolean,
): boolean | undefined {
  if (grantOver(permissions, path, isGrant) !== undefined) return false;
  return hasGrantBelow(permissions, path, isGrant) ? true : undefined;
}

interface GrantTerms extends Terms {
  readonly isGrant: (grant: Grant) => boolean;
}

/** Lists what a policy's grants are granted by, in the order in which they are tried. */
function termsOf({ suspendedJobs, presets, exemptions }: CompletePolicy, now: Date): GrantTerms[] {
  const kinds: StandingGrant['kind'][] = [
    'always',
    'whileTerminating',
    ...(suspendedJobs ? ['whileSuspended' as const] : []),
  ];
  return [
    ...kinds.map((kind) => ({ ...EVERYBODY, by: STANDING[kind], isGrant: (grant: Grant) => grant.kind === kind })),
    ...PRESET_NAMES.flatMap((name) => presetTerms(name, presets[name])),
    ...exemptions.map((exemption) => exemptionTerms(exemption, now)),
  ];
}

function presetTerms(name: string, setting: PresetWriters | false): GrantTerms[] {
  return setting === false ? [] : [{ ...EVERYBODY, ...setting, by: 'preset', name, isGrant: isNamed(name) }];
}

function exemptionTerms(exemption: CompleteExemption, now: Date): GrantTerms {
  const { name, usernames, groups, namespaces, reason, expires } = exemption;
  const end = expires === null ? undefined : parseMoment(expires);
  const expired = end !== undefined && now >= end;
  return { by: 'exemption', name, usernames, groups, namespaces, reason, expires, expired, isGrant: isNamed(name) };
}

function isNamed(name: string): (grant: Grant) => boolean {
  return (grant) => grant.kind === 'exemption' && grant.name === name;
}
