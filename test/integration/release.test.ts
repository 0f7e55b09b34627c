import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FOLLOWERS } from '../../release/followers.ts';
import { readIdentity, ROOT } from '../../release/identity.ts';
import { run } from '../../tools/child-process.ts';

const CHANGELOG = '# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- A fault.\n';

let folder: string;

/** Runs a program in a repository of its own, whoever's configuration of git this machine has. */
async function inRepository(command: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const identity = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com' };
  const committer = { GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com' };
  const env = { ...identity, ...committer, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  const { code, stdout, stderr } = await run(command, args, { cwd: folder, env });
  return { code, output: stdout + stderr };
}

const prepare = (...args: string[]): ReturnType<typeof inRepository> =>
  inRepository(process.execPath, 'release/prepare.ts', ...args);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-release-'));
  for (const path of ['release', ...Object.keys(FOLLOWERS)]) {
    await cp(join(ROOT, path), join(folder, path), { recursive: true });
  }
  await writeFile(join(folder, 'CHANGELOG.md'), CHANGELOG);
  await inRepository('git', 'init', '--quiet');
  await inRepository('git', 'add', '.');
  await inRepository('git', 'commit', '--quiet', '--message', 'All');
});
afterAll(() => rm(folder, { recursive: true }));

test('what is no version is refused', async () => {
  const output = 'error: "v9.0.0" is no version; an example is 1.2.3, or 1.2.3-rc.1\n';
  expect(await prepare('v9.0.0')).toEqual({ code: 2, output });
});

test('a lower version is refused', async () => {
  const { version } = readIdentity();
  const output = `error: 0.0.9 is lower than ${version}, the version of package.json\n`;
  expect(await prepare('0.0.9')).toEqual({ code: 2, output });
});

test('uncommitted changes are refused', async () => {
  const stray = join(folder, 'stray');
  await writeFile(stray, '');
  const output = 'error: there are uncommitted changes; commit them first\n';
  expect(await prepare('9.0.0')).toEqual({ code: 2, output });
  await rm(stray);
});

test('a release is one commit and one tag, with the notes of the changelog', async () => {
  const published = 'Committed and tagged v9.0.0. To publish it: git push origin HEAD v9.0.0\n';
  expect(await prepare('9.0.0')).toEqual({ code: 0, output: published });
  expect(await inRepository('git', 'status', '--porcelain')).toEqual({ code: 0, output: '' });
  expect(await inRepository('git', 'log', '--format=%s%d')).toEqual({
    code: 0,
    output: expect.stringMatching(/^Release 9\.0\.0 \(HEAD -> \w+, tag: v9\.0\.0\)\nAll\n$/),
  });
  expect(await inRepository('git', 'tag', '--list', '--format=%(contents)')).toEqual({
    code: 0,
    output: 'jobguard 9.0.0\n\n### Fixed\n\n- A fault.\n\n',
  });
  const today = new Date().toISOString().slice(0, 10);
  expect(await readFile(join(folder, 'CHANGELOG.md'), 'utf8')).toBe(
    CHANGELOG.replace('[Unreleased]\n', `[Unreleased]\n\n## [9.0.0] - ${today}\n`),
  );
  expect(await readFile(join(folder, 'charts/jobguard/Chart.yaml'), 'utf8')).toContain(
    '\nversion: 9.0.0\nappVersion: 9.0.0\n',
  );
});

test('a version is released once', async () => {
  expect(await prepare('9.0.0')).toEqual({ code: 2, output: 'error: the tag v9.0.0 exists already\n' });
});
