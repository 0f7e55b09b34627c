import { createHash } from 'node:crypto';

import {
  compilePolicy,
  completePolicy,
  type EffectivePolicy,
  type Policy,
  type PolicyDocument,
} from '../core/policy.ts';

/** As many characters as people compare by eye; a name, not a proof. */
const HASH_LENGTH = 12;

/** Writes out every default of a policy document, those of its resources and exemptions too. */
export function effectivePolicy(document: PolicyDocument): EffectivePolicy {
  const policy = completePolicy(document);
  return {
    ...policy,
    resources: policy.resources.map((resource) => ({
      ...resource,
      podTemplates: resource.podTemplates ?? [],
      allow: resource.allow ?? [],
    })),
    exemptions: policy.exemptions.map((exemption) => ({
      ...exemption,
      namespaces: exemption.namespaces ?? ['*'],
    })),
  };
}

/**
 * Names an effective policy by its content: `3f0c9a1e77b2`. Policies that say the same have the same name, whatever
 * the order of their keys and whichever defaults they write out.
 */
export function policyHash(policy: EffectivePolicy): string {
  return createHash('sha256').update(canonicalJson(policy)).digest('hex').slice(0, HASH_LENGTH);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, at: unknown) =>
    typeof at === 'object' && at !== null && !Array.isArray(at)
      ? Object.fromEntries(Object.entries(at).sort(([a], [b]) => (a < b ? -1 : 1)))
      : at,
  );
}

/** Compiles a policy document that is known to be valid, under its hash. */
export function policyOf(document: PolicyDocument): Policy {
  return compilePolicy(document, policyHash(effectivePolicy(document)));
}
