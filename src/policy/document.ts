import type { Mode } from '../core/policy.ts';
import type { PresetName } from './presets.ts';

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
  /** Whether identities that cover everybody, or service accounts of any namespace, are meant. */
  readonly allowBroadIdentities?: boolean;
  /** Whether fields that a known kind does not have are meant. */
  readonly allowUnknownPaths?: boolean;
  readonly suspendedJobs?: boolean;
  readonly presets?: Readonly<Partial<Record<PresetName, PresetSetting>>>;
  readonly exemptions?: readonly ExemptionDocument[];
  /** Ends every denial. */
  readonly contact?: string | null;
}

export interface NamespaceMode {
  readonly namespaces: readonly string[];
  readonly mode: Mode;
}

export interface ResourceDocument {
  readonly group: string;
  readonly resource: string;
  /** What a known kind has of this and the next two, null takes away. */
  readonly podTemplates?: readonly string[] | null;
  readonly scaleReplicasPath?: string | null;
  readonly suspendPath?: string | null;
  /** Adds to the policy's `allow`, for this resource. */
  readonly allow?: readonly string[];
}

export type PresetSetting = boolean | PresetWriters;

export interface PresetWriters {
  readonly usernames: readonly string[];
}

export interface ExemptionDocument {
  readonly name: string;
  readonly usernames?: readonly string[];
  readonly groups?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly paths: readonly string[];
  readonly reason?: string | null;
  /** The day (`2027-01-31`, in UTC) or the moment (RFC 3339) from which it no longer counts. */
  readonly expires?: string | null;
}

/** A policy with every default and preset written out; still a document, and its own completion. */
export interface CompletePolicy extends Required<PolicyDocument> {
  readonly resources: readonly CompleteResource[];
  readonly presets: Readonly<Record<PresetName, PresetWriters | false>>;
  readonly exemptions: readonly CompleteExemption[];
}

export interface CompleteResource extends Required<ResourceDocument> {
  readonly podTemplates: readonly string[];
}
export type CompleteExemption = Required<ExemptionDocument>;
