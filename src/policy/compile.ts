import { fieldName, fieldPath } from '../core/field-path.ts';
import { objectType } from '../core/field-type.ts';
import { compileGlobLists, compileGlobs } from '../core/glob.ts';
import { parsePointer, type Pattern } from '../core/path.ts';
import { addPattern, createPatternTree } from '../core/pattern-tree.ts';
import type { DormantPreset, Grant, GuardedResource, Policy } from '../core/policy.ts';
import { resourceName } from '../core/resource-name.ts';
import type { CompletePolicy, CompleteResource } from './document.ts';
import { policyHash } from './hash.ts';
import { parseMoment } from './moment.ts';
import { PRESET_NAMES, PRESETS, type PresetName } from './presets.ts';

/** Deletion must always be able to finish: what may change in addition once it has begun. */
const TERMINATING_PATHS: readonly string[] = ['/metadata/finalizers', '/metadata/ownerReferences'];
/** What may change while nothing runs yet: everything below `spec`, not `spec` itself. */
const SUSPENDED_PATHS: readonly string[] = ['/spec/*'];

/** What a grant permits, and to whom it is limited: a standing grant is limited to nobody, and so names none. */
interface Right {
  readonly grant: Grant;
  readonly writers: Writers;
  readonly pathsIn: (resource: CompleteResource) => readonly string[];
}

interface Writers {
  readonly usernames: readonly string[];
  readonly groups: readonly string[];
  readonly namespaces: readonly string[];
}

const NONE: Writers = { usernames: [], groups: [], namespaces: [] };

/**
 * Compiles a complete policy, under its hash.
 *
 * @throws Error where a path is no JSON Pointer: check the document first
 */
export function compilePolicy(policy: CompletePolicy): Policy {
  const rights = rightsOf(policy);
  return {
    hash: policyHash(policy),
    ...compileModes(policy),
    resources: new Map(
      policy.resources.map((resource) => [
        resourceName(resource.group, resource.resource),
        compileResource(policy, resource, rights),
      ]),
    ),
    exemptions: rights.map(({ grant }) => grant).filter((grant) => grant.kind === 'exemption'),
    exemptionsOf: compileExemptions(rights),
    suspendedJobs: policy.suspendedJobs,
    contact: policy.contact ?? undefined,
    dormantPresets: dormantPresets(policy),
  };
}

function compileModes({ mode, namespaceModes }: CompletePolicy): Pick<Policy, 'modeOf' | 'modes'> {
  const exceptions = namespaceModes.map((exception) => ({
    covers: compileGlobs(exception.namespaces),
    mode: exception.mode,
  }));
  return {
    modeOf: (namespace) => exceptions.find(({ covers }) => covers(namespace))?.mode ?? mode,
    modes: [...new Set([mode, ...exceptions.map((exception) => exception.mode)])],
  };
}

/** Lists what a policy permits, each right at the index that is the rank of its grant. */
function rightsOf(policy: CompletePolicy): Right[] {
  const standing = (kind: 'always' | 'whileTerminating' | 'whileSuspended', pathsIn: Right['pathsIn']) => {
    return (rank: number): Right => ({ grant: { kind, rank }, writers: NONE, pathsIn });
  };
  const exemption = (name: string, writers: Writers, pathsIn: Right['pathsIn'], expiresMs?: number) => {
    return (rank: number): Right => ({ grant: { kind: 'exemption', rank, name, expiresMs }, writers, pathsIn });
  };
  const presets = PRESET_NAMES.flatMap((name) => {
    const setting = policy.presets[name];
    const writers = { ...NONE, ...setting, namespaces: ['*'] };
    return setting === false ? [] : [exemption(name, writers, (resource) => presetPaths(name, resource))];
  });
  const ranked = [
    standing('always', ({ allow }) => [...policy.allow, ...allow]),
    standing('whileTerminating', () => TERMINATING_PATHS),
    standing('whileSuspended', () => SUSPENDED_PATHS),
    ...presets,
    ...policy.exemptions.map(({ name, paths, expires, ...writers }) =>
      exemption(name, writers, () => paths, expires === null ? undefined : parseMoment(expires)?.getTime()),
    ),
  ];
  return ranked.map((withRank, index) => withRank(index));
}

function presetPaths(name: PresetName, resource: CompleteResource): string[] {
  const { paths, pathsOf, podTemplatePaths, scales, suspends } = PRESETS[name];
  const { podTemplates, scaleReplicasPath, suspendPath } = resource;
  return [
    ...paths,
    ...(pathsOf[resourceName(resource.group, resource.resource)] ?? []),
    ...podTemplates.flatMap((template) => podTemplatePaths.map((path) => `${template}${path}`)),
    ...(scales && scaleReplicasPath !== null ? [scaleReplicasPath] : []),
    ...(suspends && suspendPath !== null ? [suspendPath] : []),
  ];
}

function compileExemptions(rights: readonly Right[]): Policy['exemptionsOf'] {
  const ofUsername = compileGlobLists(rights.map(({ writers }) => writers.usernames));
  const ofGroup = compileGlobLists(rights.map(({ writers }) => writers.groups));
  const ofNamespace = compileGlobLists(rights.map(({ writers }) => writers.namespaces));
  const expiries = rights.map(({ grant }) => (grant.kind === 'exemption' ? grant.expiresMs : undefined));
  const expiring = expiries.flatMap((ms, rank) => (ms === undefined ? [] : [{ ms, rank }]));
  return ({ username, groups }, namespace, now) => {
    const isNamed = ofUsername([username]);
    const isMember = ofGroup(groups);
    const found = ofNamespace([namespace]);
    // A loop: of a thousand exemptions, calling a function for each takes as long as finding them.
    for (let rank = 0; rank < found.length; rank += 1) {
      if (isNamed[rank] !== 1 && isMember[rank] !== 1) found[rank] = 0;
    }
    for (const { ms, rank } of expiring) if (now.getTime() >= ms) found[rank] = 0;
    return found;
  };
}

function compileResource(
  policy: CompletePolicy,
  resource: CompleteResource,
  rights: readonly Right[],
): GuardedResource {
  const permissions = createPatternTree<Grant>();
  for (const { grant, pathsIn } of rights) {
    for (const path of pathsIn(resource)) addPattern(permissions, requirePointer(path), grant);
  }
  const type = objectType(resource.group, resource.resource, resource.podTemplates.map(requirePointer));
  const allow = [...policy.allow, ...resource.allow].map(requirePointer);
  const allowedFields = allow.map((pattern) => fieldPath(pattern, type));
  return {
    group: resource.group,
    resource: resource.resource,
    type,
    allow,
    allowedFields,
    allowedNames: [...new Set(allowedFields.map(fieldName))],
    permissions,
    scaleReplicasPath: optionalPointer(resource.scaleReplicasPath),
    suspendPath: optionalPointer(resource.suspendPath),
  };
}

function dormantPresets({ presets }: CompletePolicy): DormantPreset[] {
  return PRESET_NAMES.filter((name) => presets[name] === false).map((name) => ({
    name,
    title: PRESETS[name].title,
    covers: compileGlobs(PRESETS[name].usernames),
  }));
}

function optionalPointer(text: string | null): Pattern | undefined {
  return text === null ? undefined : requirePointer(text);
}

function requirePointer(text: string): Pattern {
  const pattern = parsePointer(text);
  if (pattern === undefined) throw new Error(`${JSON.stringify(text)} is not a JSON Pointer`);
  return pattern;
}
