import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { at } from '../../tools/json-at.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Returns what a form asks for, by the ids of its fields, and whether an answer is required. */
function fieldsOf(form: string): Record<string, boolean> {
  const body = at(parse(read(`.github/ISSUE_TEMPLATE/${form}`)), 'body');
  const fields = Array.isArray(body) ? body.filter((field) => at(field, 'id') !== undefined) : [];
  return Object.fromEntries(
    fields.map((field) => [String(at(field, 'id')), at(field, 'validations', 'required') === true]),
  );
}

test('whoever reports a wrong verdict is asked for the denial, the version, the hash of the policy and the writer', () => {
  expect(fieldsOf('wrong-verdict.yml')).toEqual({
    direction: true,
    denial: false,
    update: true,
    writer: true,
    version: true,
    'policy-hash': true,
    policy: false,
    versions: false,
  });
});

test('whoever reports another bug is asked for the version', () => {
  expect(fieldsOf('bug.yml')).toEqual({ what: true, reproduce: true, version: true, log: false, versions: false });
});

test('Dependabot updates every kind of dependency, and every Go module that has some', () => {
  const updates: unknown = at(parse(read('.github/dependabot.yml')), 'updates');
  const entries = Array.isArray(updates) ? updates : [];
  const ecosystems = entries.map((entry) => at(entry, 'package-ecosystem'));
  expect(ecosystems).toEqual(['npm', 'github-actions', 'docker', 'gomod']);
  const files = execFileSync('git', ['ls-files', '*go.sum'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  expect(at(entries[3], 'directories')).toEqual(files.map((file) => `/${dirname(file)}`).sort());
});

test('one version of Node is meant everywhere', () => {
  const { engines, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const version = read('.nvmrc').trim();
  expect({ engines: engines?.['node'], pinned: devDependencies?.['node'] }).toEqual({
    engines: `>=${version}`,
    pinned: expect.stringMatching(`^\\^${version}\\.`),
  });
  expect(read('Dockerfile')).toContain(`BUILD_IMAGE=node:${version}-slim`);
  expect(read('Dockerfile')).toContain(`distroless/nodejs${version}-`);
});
