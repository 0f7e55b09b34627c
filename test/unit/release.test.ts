import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { changelogEntries, releaseNotes, withRelease } from '../../release/changelog.ts';
import { followers, FOLLOWERS, withIdentity } from '../../release/followers.ts';
import { readIdentity, ROOT, type Identity } from '../../release/identity.ts';
import { at } from '../../tools/json-at.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const OTHER: Identity = {
  version: '12.0.3-rc.1',
  repository: 'acme/job.guard',
  image: 'registry.acme.example:5000/ml/guard',
  charts: 'registry.acme.example:5000/ml/charts',
  package: '@acme/guard',
};

/** What would be left of today's identity in a file that does not follow it. */
const LEFT_BEHIND =
  /github(usercontent)?\.com\/jobguard\b|ghcr\.io\/jobguard\b|jobguard:0\.\d+\.\d+|@jobguard\/maintainers/;

test('every file has the version of package.json and the names of release/names.json', () => {
  for (const [path, text] of followers(readIdentity())) expect([path, read(path)]).toEqual([path, text]);
});

test('another version and other names reach every file, and leave none behind', () => {
  const changed = followers(OTHER);
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  // The changelog says what was; the tests of the release name a name to look for.
  const others = files.filter(
    (path) => !['CHANGELOG.md', 'release/names.json', 'test/unit/release.test.ts'].includes(path),
  );
  expect(others.filter((path) => LEFT_BEHIND.test(changed.get(path) ?? read(path)))).toEqual([]);
});

test('a version or name that was changed once can be changed again', () => {
  for (const [path, text] of followers(OTHER)) {
    expect([path, withIdentity(text, FOLLOWERS[path] ?? [], readIdentity())]).toEqual([path, read(path)]);
  }
});

test('a file that has lost its place is an error', () => {
  expect(() => withIdentity('image: ours\n', ['image: {image}:{version}'], OTHER)).toThrow(
    'nothing looks like "image: {image}:{version}"',
  );
});

test("the chart's metadata leads to what is there", () => {
  const chart: unknown = parse(read('charts/jobguard/Chart.yaml'));
  const home = `https://github.com/${readIdentity().repository}`;
  expect(chart).toMatchObject({ home, sources: [home] });
  const pages = [...JSON.stringify(chart).matchAll(/(?<=\/main\/)[\w./-]+\w/g)].map(([path]) => path);
  expect(pages).toContain('charts/jobguard/icon.svg');
  expect(pages.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('CI installs the chart on the oldest version of Kubernetes that it takes', () => {
  const oldest = /^>=(\d+\.\d+)\./.exec(String(at(parse(read('charts/jobguard/Chart.yaml')), 'kubeVersion')))?.[1];
  const matrix = at(parse(read('.github/workflows/ci.yml')), 'jobs', 'kind', 'strategy', 'matrix', 'kubernetes');
  expect(matrix).toContainEqual(expect.stringMatching(`^v${String(oldest)}\\.\\d+$`));
  expect(read('docs/install.md')).toContain(`Kubernetes ${String(oldest)} or later`);
});

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- A thing that takes
  two lines.

### Fixed

- \`a\`
- \`b\`

## [1.0.0] - 2026-01-01

- Everything.
`;

test('a release takes what is unreleased', () => {
  const released = withRelease(CHANGELOG, '1.1.0', '2026-12-31');
  expect(released).toBe(CHANGELOG.replace('[Unreleased]\n', '[Unreleased]\n\n## [1.1.0] - 2026-12-31\n'));
  expect(releaseNotes(released, '1.1.0')).toBe(
    '### Added\n\n- A thing that takes\n  two lines.\n\n### Fixed\n\n- `a`\n- `b`',
  );
  expect(changelogEntries(released, '1.1.0')).toEqual([
    { kind: 'added', description: 'A thing that takes two lines.' },
    { kind: 'fixed', description: '`a`' },
    { kind: 'fixed', description: '`b`' },
  ]);
});

test('a release of nothing is refused, and so are the notes of a version that was never released', () => {
  const released = withRelease(CHANGELOG, '1.1.0', '2026-12-31');
  expect(() => withRelease(released, '1.2.0', '2026-12-31')).toThrow('CHANGELOG.md has nothing under Unreleased');
  expect(() => releaseNotes(released, '1.2.0')).toThrow('CHANGELOG.md has no "## [1.2.0]"');
});
