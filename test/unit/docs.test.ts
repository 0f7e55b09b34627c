import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

describe('the table of what jobguard was tested with', () => {
  const root = join(DOCS, '..');
  const rows = readFileSync(join(DOCS, 'compatibility.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| with '))
    .map((line) => ({ row: line.replaceAll(/ +/g, ' '), shownBy: line.split('|').at(-2)?.trim() ?? '' }))
    .filter(({ row }) => !row.startsWith('| -'));

  const targets = readFileSync(join(root, 'Makefile'), 'utf8').match(/^[a-z-]+(?=:)/gm) ?? [];
  const commands = new Set(targets.map((target) => `make ${target}`));

  test.each(rows)('names tests that there are, or says that there is none: $row', ({ shownBy }) => {
    if (shownBy === 'not tested' || shownBy === 'by hand') return;
    const tests = [...shownBy.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(shownBy).toBe(tests.map((name) => `\`${name}\``).join(', '));
    expect(tests.filter((name) => !commands.has(name) && !existsSync(join(root, name)))).toEqual([]);
  });

  test.each([
    ['Kubernetes', 'tools/kubernetes/modules/go.mod', /k8s\.io\/kubernetes v(\S+)/],
    ['training-operator', 'tools/go-types/go.mod', /training-operator v(\S+)/],
    ['Trainer', 'tools/go-types/go.mod', /kubeflow\/trainer\/v2 v(\S+)/],
    ['JobSet', 'tools/go-types/go.mod', /sigs\.k8s\.io\/jobset v(\S+)/],
    ['training-operator', 'tools/kubernetes/crds.ts', /trainingOperatorCrds\('v(1\.8\S*?)'/],
    ['JobSet', 'test/support/foreign-crds.ts', /sigs\.k8s\.io\/jobset@v([\d.]+)/],
    ['cert-manager', 'test/e2e/cert-manager/go.mod', /cert-manager\/cert-manager v(\S+)/],
    ['Helm', 'tools/helm.ts', /helm\/v3\/cmd\/helm', version: 'v([\d.]+)/],
    ['Helm', 'tools/helm.ts', /helm\/v4\/cmd\/helm', version: 'v([\d.]+)/],
  ])('has the version of %s that %s names', (project, file, pattern) => {
    const version = pattern.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? 'none';
    expect(rows.filter(({ row }) => row.startsWith(`| ${project} |`) && row.includes(version))).not.toEqual([]);
  });
});
