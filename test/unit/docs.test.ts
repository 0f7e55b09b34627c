import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import { loadPolicy } from '../../src/policy-file.ts';

const DOCS = `${import.meta.dirname}/../../docs`;

interface Example {
  readonly place: string;
  readonly text: string;
}

/** Returns the policies that a page shows: its blocks of YAML that begin with the policy's apiVersion. */
function policiesOf(page: string): Example[] {
  const text = readFileSync(`${DOCS}/${page}`, 'utf8');
  return [...text.matchAll(/^```yaml\n(apiVersion: jobguard\/v1\n.*?)^```$/gms)].map((match) => ({
    place: `docs/${page}:${text.slice(0, match.index).split('\n').length}`,
    text: match[1] ?? '',
  }));
}

describe('the policies that the documentation shows', () => {
  const examples = readdirSync(DOCS)
    .filter((page) => page.endsWith('.md'))
    .flatMap(policiesOf);

  test.each(examples)('are loaded: $place', ({ place, text }) => {
    expect(loadPolicy(text, { file: place }).hash).toMatch(/^[0-9a-f]{12}$/);
  });

  test('are many: each key and each recipe has one', () => {
    expect(policiesOf('policy.md').length).toBeGreaterThanOrEqual(10);
    expect(policiesOf('recipes.md').length).toBeGreaterThanOrEqual(8);
  });
});
