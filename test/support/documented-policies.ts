import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const DOCS = join(import.meta.dirname, '../../docs');

export interface DocumentedPolicy {
  /** `docs/policy.md:12` */
  readonly place: string;
  /** `policy.md: Let people pause and resume jobs`, of the second policy below a heading with ` (2)` behind. */
  readonly example: string;
  readonly text: string;
}

/** Returns the policies that a page shows: its blocks of YAML that begin with the apiVersion of one, or with comments above it. */
export function documentedPolicies(page: string): DocumentedPolicy[] {
  const text = readFileSync(join(DOCS, page), 'utf8');
  const found = [...text.matchAll(/^```yaml\n((?:#[^\n]*\n)*apiVersion: jobguard\/v1\n.*?)^```$/gms)].map((match) => {
    const before = text.slice(0, match.index);
    return {
      place: `docs/${page}:${before.split('\n').length}`,
      heading:
        before
          .match(/^##+ .*$/gm)
          ?.at(-1)
          ?.replace(/^##+ /, '') ?? '',
      text: match[1] ?? '',
    };
  });
  return found.map(({ heading, ...policy }, index) => {
    const earlier = found.slice(0, index).filter((other) => other.heading === heading).length;
    return { ...policy, example: `${page}: ${heading}${earlier === 0 ? '' : ` (${earlier + 1})`}` };
  });
}
