import type {
  CompleteExemption,
  CompletePolicy,
  CompleteResource,
  ExemptionDocument,
  PolicyDocument,
  PresetWriters,
  ResourceDocument,
} from './document.ts';
import { DEFAULT_ALLOW, DEFAULT_RESOURCES } from './defaults.ts';
import { knownKind } from './known-kinds.ts';
import { PRESETS, type PresetName } from './presets.ts';

/** What a policy says where its document says nothing. */
const DEFAULTS: Required<Omit<PolicyDocument, 'apiVersion' | 'kind'>> = {
  mode: 'enforce',
  namespaceModes: [],
  resources: DEFAULT_RESOURCES,
  allow: DEFAULT_ALLOW,
  allowBroadPaths: false,
  allowBroadIdentities: false,
  allowUnknownPaths: false,
  suspendedJobs: false,
  presets: {},
  exemptions: [],
  contact: null,
};

/** Writes out every default and preset of a policy document, in the order in which they are printed. */
export function completePolicy(document: PolicyDocument): CompletePolicy {
  const { apiVersion, kind } = document;
  const { mode, namespaceModes, resources, allow, ...others } = { ...DEFAULTS, ...document };
  const { allowBroadPaths, allowBroadIdentities, allowUnknownPaths, suspendedJobs } = others;
  const { presets, exemptions, contact } = others;
  return {
    apiVersion,
    kind,
    mode,
    namespaceModes,
    resources: resources.map(completeResource),
    allow,
    allowBroadPaths,
    allowBroadIdentities,
    allowUnknownPaths,
    suspendedJobs,
    presets: completePresets(presets),
    exemptions: exemptions.map(completeExemption),
    contact,
  };
}

const NOTHING_KNOWN = { podTemplates: [], scaleReplicasPath: null, suspendPath: null, allow: [] };

function completeResource(resource: ResourceDocument): CompleteResource {
  const known = knownKind(resource.group, resource.resource) ?? NOTHING_KNOWN;
  const { podTemplates = known.podTemplates, scaleReplicasPath = known.scaleReplicasPath } = resource;
  const { suspendPath = known.suspendPath, allow = known.allow } = resource;
  const { group, resource: plural } = resource;
  return { group, resource: plural, podTemplates: podTemplates ?? [], scaleReplicasPath, suspendPath, allow };
}

function completePresets(settings: NonNullable<PolicyDocument['presets']>): CompletePolicy['presets'] {
  const complete = (name: PresetName): PresetWriters | false => {
    const { onByDefault, usernames } = PRESETS[name];
    const setting = settings[name] ?? onByDefault;
    return setting === true ? { usernames } : setting;
  };
  return {
    garbageCollector: complete('garbageCollector'),
    kueue: complete('kueue'),
    horizontalPodAutoscaler: complete('horizontalPodAutoscaler'),
    flyte: complete('flyte'),
  };
}

function completeExemption(exemption: ExemptionDocument): CompleteExemption {
  return {
    name: exemption.name,
    usernames: exemption.usernames ?? [],
    groups: exemption.groups ?? [],
    namespaces: exemption.namespaces ?? ['*'],
    paths: exemption.paths,
    reason: exemption.reason ?? null,
    expires: exemption.expires ?? null,
  };
}
