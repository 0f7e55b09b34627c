import { readdirSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import { loadPolicy } from '../../src/policy/load.ts';
import { DOCS, documentedPolicies } from '../support/documented-policies.ts';

describe('the policies that the documentation shows', () => {
  const examples = readdirSync(DOCS)
    .filter((page) => page.endsWith('.md'))
    .flatMap(documentedPolicies);

  test.each(examples)('are loaded: $place', ({ place, text }) => {
    expect(loadPolicy(text, { file: place }).hash).toMatch(/^[0-9a-f]{12}$/);
  });

  test('are many: each key and each recipe has one', () => {
    expect(documentedPolicies('policy.md').length).toBeGreaterThanOrEqual(10);
    expect(documentedPolicies('recipes.md').length).toBeGreaterThanOrEqual(8);
  });
});
