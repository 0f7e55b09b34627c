import { createHash } from 'node:crypto';

import type { CompletePolicy } from './document.ts';

/** As many characters as people compare by eye; a name, not a proof. */
const HASH_LENGTH = 12;

/**
 * Names a complete policy by its content: `3f0c9a1e77b2`. Policies that say the same have the same name, whatever
 * the order of their keys and whichever defaults they write out.
 */
export function policyHash(policy: CompletePolicy): string {
  return createHash('sha256').update(canonicalJson(policy)).digest('hex').slice(0, HASH_LENGTH);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, at: unknown) =>
    typeof at === 'object' && at !== null && !Array.isArray(at)
      ? Object.fromEntries(Object.entries(at).sort(([a], [b]) => (a < b ? -1 : 1)))
      : at,
  );
}
