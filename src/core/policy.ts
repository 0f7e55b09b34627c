import { objectType, type FieldType } from './field-type.ts';
import { compileGlobLists, compileGlobs } from './glob.ts';
import { parsePointer, type Path, type Pattern } from './path.ts';
import { addPattern, createPatternTree, type PatternTree } from './pattern-tree.ts';
import { PRESETS, type PresetName } from './presets.ts';

export type Mode = 'enforce' | 'warn' | 'audit';

/** A policy as its file writes it: what is left out has a default. */
export interface PolicyDocument {
  readonly apiVersion: 'jobguard/v1';
  readonly kind: 'UpdatePolicy';
  readonly mode?: Mode;
  /** The first entry that names the namespace counts. */
  readonly namespaceModes?: readonly NamespaceMode[];
  /** Replaces the default list. */
  readonly resources?: readonly ResourceDocument[];
  /** JSON Pointers; replaces the default list. */
  readonly allow?: readonly string[];
  /** Whether paths as wide as `/spec` are meant. */
  readonly allowBroadPaths?: boolean;
  readonly suspendedJobs?: boolean;
  readonly presets?: Readonly<Partial<Record<PresetName, PresetSetting>>>;
  readonly exemptions?: readonly ExemptionDocument[];
}

export interface NamespaceMode {
  readonly namespaces: readonly string[];
  readonly mode: Mode;
}

export interface ResourceDocument {
  readonly group: string;
  readonly resource: string;
  readonly podTemplates?: readonly string[];
  readonly scaleReplicasPath?: string;
  /** Adds to the policy's `allow`, for this resource. */
  readonly allow?: readonly string[];
}

export type PresetSetting = boolean | { readonly usernames: readonly string[] };

export interface ExemptionDocument {
  readonly name: string;
  readonly usernames?: readonly string[];
  readonly groups?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly paths: readonly string[];
}

/** A policy with every default and preset written out; still a document, and its own completion. */
export type EffectivePolicy = Required<PolicyDocument>;

export const DEFAULT_POLICY_DOCUMENT: PolicyDocument = { apiVersion: 'jobguard/v1', kind: 'UpdatePolicy' };

const DEFAULT_RESOURCES: readonly ResourceDocument[] = [
  { group: 'kubeflow.org', resource: 'tfjobs', podTemplates: ['/spec/tfReplicaSpecs/*/template'] },
  {
    group: 'kubeflow.org',
    resource: 'pytorchjobs',
    podTemplates: ['/spec/pytorchReplicaSpecs/*/template'],
    scaleReplicasPath: '/spec/pytorchReplicaSpecs/Worker/replicas',
  },
];

/**
 * The five fields, at each place where a generation of the API keeps them: apiVersion is kubeflow.org/v1 in all.
 * Source: tf-operator v1.0 pkg/apis/tensorflow/v1/types.go and training-operator v1.3 to v1.9 manifests/base/crds.
 */
const DEFAULT_ALLOW: readonly string[] = [
  '/metadata/labels',
  '/metadata/annotations',
  '/spec/activeDeadlineSeconds',
  '/spec/ttlSecondsAfterFinished',
  '/spec/cleanPodPolicy',
  '/spec/runPolicy/activeDeadlineSeconds',
  '/spec/runPolicy/ttlSecondsAfterFinished',
  '/spec/runPolicy/cleanPodPolicy',
];

/** Deletion must always be able to finish: what may change in addition once it has begun. */
const TERMINATING_PATHS: readonly string[] = ['/metadata/finalizers', '/metadata/ownerReferences'];
/** What may change while nothing runs yet: everything below `spec`, not `spec` itself. */
const SUSPENDED_PATHS: readonly string[] = ['/spec/*'];

/** What the paths of a pattern tree are granted by; exemptions follow, in their order. */
export const POLICY_GRANT = 0;
export const TERMINATING_GRANT = 1;
export const SUSPENDED_GRANT = 2;
export const FIRST_EXEMPTION_GRANT = 3;

export interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

/** A policy in the form in which it is applied. */
export interface Policy {
  /** Names the effective policy in logs, metrics and audit annotations. */
  readonly hash: string;
  readonly modeOf: (namespace: string) => Mode;
  /** Those that `modeOf` can return. */
  readonly modes: readonly Mode[];
  /** By `group/resource`: see `guardedResource`. */
  readonly resources: ReadonlyMap<string, GuardedResource>;
  readonly exemptions: readonly Exemption[];
  /** Finds the exemptions of a writer; the answer takes places in `exemptions`. */
  readonly exemptionsOf: (user: User, namespace: string) => (place: number) => boolean;
  readonly suspendedJobs: boolean;
  readonly dormantPresets: readonly DormantPreset[];
}

export interface GuardedResource {
  readonly group: string;
  readonly resource: string;
  readonly type: FieldType;
  /** What everybody may change. */
  readonly allow: readonly Pattern[];
  readonly permissions: PatternTree;
  readonly scaleReplicasPath: Path | undefined;
}

export interface Exemption {
  readonly name: string;
}

/** A preset that is off: what a hint to its writer needs. */
export interface DormantPreset {
  readonly name: PresetName;
  readonly title: string;
  readonly covers: (username: string) => boolean;
}

/** Names a resource as Kubernetes does: `tfjobs.kubeflow.org`, and `pods` where the group is the core one. */
export function resourceName(group: string, resource: string): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** Returns the guarded resource of a group and plural name; undefined where the policy does not guard it. */
export function guardedResource(policy: Policy, group: string, resource: string): GuardedResource | undefined {
  return policy.resources.get(`${group}/${resource}`);
}

/** Writes out every default and preset of a policy document. */
export function completePolicy(document: PolicyDocument): EffectivePolicy {
  return {
    apiVersion: document.apiVersion,
    kind: document.kind,
    mode: document.mode ?? 'enforce',
    namespaceModes: document.namespaceModes ?? [],
    resources: document.resources ?? DEFAULT_RESOURCES,
    allow: document.allow ?? DEFAULT_ALLOW,
    allowBroadPaths: document.allowBroadPaths ?? false,
    suspendedJobs: document.suspendedJobs ?? false,
    presets: {
      garbageCollector: completePreset('garbageCollector', document),
      kueue: completePreset('kueue', document),
      horizontalPodAutoscaler: completePreset('horizontalPodAutoscaler', document),
      flyte: completePreset('flyte', document),
    },
    exemptions: document.exemptions ?? [],
  };
}

function completePreset(name: PresetName, document: PolicyDocument): PresetSetting {
  const { onByDefault, usernames } = PRESETS[name];
  const setting = document.presets?.[name] ?? onByDefault;
  return setting === true ? { usernames } : setting;
}

/**
 * Compiles a policy document. `hash` names the effective policy.
 *
 * @throws Error where a path is no JSON Pointer: validate the document first
 */
export function compilePolicy(document: PolicyDocument, hash: string): Policy {
  const effective = completePolicy(document);
  const writers = exemptedWriters(effective);
  const namespaceModes = effective.namespaceModes.map(({ namespaces, mode }) => ({
    covers: compileGlobs(namespaces),
    mode,
  }));
  return {
    hash,
    modeOf: (namespace) => namespaceModes.find(({ covers }) => covers(namespace))?.mode ?? effective.mode,
    modes: [...new Set([effective.mode, ...namespaceModes.map(({ mode }) => mode)])],
    resources: new Map(
      effective.resources.map((resource) => [
        `${resource.group}/${resource.resource}`,
        compileResource(resource, effective, writers),
      ]),
    ),
    exemptions: writers.map(({ name }) => ({ name })),
    exemptionsOf: compileExemptions(writers),
    suspendedJobs: effective.suspendedJobs,
    dormantPresets: presetNames(effective)
      .filter((name) => effective.presets[name] === false)
      .map((name) => ({
        name,
        title: PRESETS[name].title,
        covers: compileGlobs(PRESETS[name].usernames),
      })),
  };
}

/** An exemption with those whom it covers, and the paths that it opens in a given resource. */
interface ExemptedWriter extends Exemption {
  readonly usernames: readonly string[];
  readonly groups: readonly string[];
  readonly namespaces: readonly string[];
  readonly patternsIn: (resource: ResourceDocument) => readonly Pattern[];
}

function exemptedWriters(policy: EffectivePolicy): ExemptedWriter[] {
  const presets = presetNames(policy).flatMap((name) => {
    const setting = policy.presets[name];
    if (typeof setting !== 'object') return [];
    return [
      {
        name,
        usernames: setting.usernames,
        groups: [],
        namespaces: ['*'],
        patternsIn: (resource: ResourceDocument) => presetPatterns(name, resource),
      },
    ];
  });
  const exemptions = policy.exemptions.map(({ name, usernames = [], groups = [], namespaces = ['*'], paths }) => {
    const patterns = paths.map(requirePointer);
    return { name, usernames, groups, namespaces, patternsIn: () => patterns };
  });
  return [...presets, ...exemptions];
}

function presetNames(policy: EffectivePolicy): PresetName[] {
  return Object.keys(policy.presets).filter((name) => name in PRESETS) as PresetName[];
}

function presetPatterns(name: PresetName, resource: ResourceDocument): Pattern[] {
  const { paths, podTemplatePaths, scales } = PRESETS[name];
  const { podTemplates = [], scaleReplicasPath } = resource;
  return [
    ...paths,
    ...podTemplates.flatMap((place) => podTemplatePaths.map((path) => `${place}${path}`)),
    ...(scales && scaleReplicasPath !== undefined ? [scaleReplicasPath] : []),
  ].map(requirePointer);
}

function compileExemptions(writers: readonly ExemptedWriter[]): Policy['exemptionsOf'] {
  const ofUsername = compileGlobLists(writers.map(({ usernames }) => usernames));
  const ofGroup = compileGlobLists(writers.map(({ groups }) => groups));
  const ofNamespace = compileGlobLists(writers.map(({ namespaces }) => namespaces));
  return ({ username, groups }, namespace) => {
    const named = ofUsername([username]);
    const isMember = ofGroup(groups);
    const isThere = ofNamespace([namespace]);
    return (place) => isThere[place] === 1 && (named[place] === 1 || isMember[place] === 1);
  };
}

function compileResource(
  resource: ResourceDocument,
  policy: EffectivePolicy,
  writers: readonly ExemptedWriter[],
): GuardedResource {
  const allow = [...policy.allow, ...(resource.allow ?? [])].map(requirePointer);
  const grants: [number, readonly Pattern[]][] = [
    [POLICY_GRANT, allow],
    [TERMINATING_GRANT, TERMINATING_PATHS.map(requirePointer)],
    [SUSPENDED_GRANT, SUSPENDED_PATHS.map(requirePointer)],
    ...writers.map(({ patternsIn }, index): [number, readonly Pattern[]] => [
      FIRST_EXEMPTION_GRANT + index,
      patternsIn(resource),
    ]),
  ];
  const permissions = createPatternTree();
  for (const [grant, patterns] of grants) {
    for (const pattern of patterns) addPattern(permissions, pattern, grant);
  }
  return {
    group: resource.group,
    resource: resource.resource,
    type: objectType(resource.group, resource.resource, (resource.podTemplates ?? []).map(requirePointer)),
    allow,
    permissions,
    scaleReplicasPath:
      resource.scaleReplicasPath === undefined ? undefined : requirePointer(resource.scaleReplicasPath),
  };
}

function requirePointer(text: string): Pattern {
  const pattern = parsePointer(text);
  if (pattern === undefined) throw new Error(`${JSON.stringify(text)} is not a JSON Pointer`);
  return pattern;
}
