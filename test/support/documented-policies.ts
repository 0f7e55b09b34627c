import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const DOCS = join(import.meta.dirname, '../../docs');

export interface DocumentedPolicy {
  /** `docs/policy.md:12` */
  readonly place: string;
  readonly text: string;
}

/** Returns the policies that a page shows: its blocks of YAML that begin with the policy's apiVersion. */
export function documentedPolicies(page: string): DocumentedPolicy[] {
  const text = readFileSync(join(DOCS, page), 'utf8');
  return [...text.matchAll(/^```yaml\n(apiVersion: jobguard\/v1\n.*?)^```$/gms)].map((match) => ({
    place: `docs/${page}:${text.slice(0, match.index).split('\n').length}`,
    text: match[1] ?? '',
  }));
}
