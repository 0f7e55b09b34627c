/** Prepares a release: `npm run release -- 1.2.3` makes its commit and its tag, and pushes nothing. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseNotes, withRelease } from './changelog.ts';
import { followers } from './followers.ts';
import { readIdentity, ROOT } from './identity.ts';

const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$/;

/** Returns what the files of a release hold, by their path below `root`. */
function filesOf(version: string, day: string, root: string): Map<string, string> {
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  return followers({ ...readIdentity(root), version }, root).set('CHANGELOG.md', withRelease(changelog, version, day));
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' });
}

/** Compares versions without what follows a dash. */
function isLower(version: string, other: string): boolean {
  const [one = '', two = ''] = [version, other].map((each) => each.split('-')[0]);
  return one.localeCompare(two, 'en', { numeric: true }) < 0;
}

/** Commits and tags a version; the files are written only after everything that can be wrong was checked. */
function prepare(version: string): void {
  if (!VERSION.test(version)) throw new Error(`"${version}" is no version; an example is 1.2.3, or 1.2.3-rc.1`);
  const tag = `v${version}`;
  const { version: last } = readIdentity();
  if (isLower(version, last)) throw new Error(`${version} is lower than ${last}, the version of package.json`);
  if (git('tag', '--list', tag) !== '') throw new Error(`the tag ${tag} exists already`);
  if (git('status', '--porcelain') !== '') throw new Error('there are uncommitted changes; commit them first');
  const files = filesOf(version, new Date().toISOString().slice(0, 10), ROOT);
  for (const [path, text] of files) writeFileSync(join(ROOT, path), text);
  git('add', ...files.keys());
  git('commit', '--quiet', '--message', `Release ${version}`);
  const notes = releaseNotes(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), version);
  // Headings of Markdown look like comments, which git would drop.
  git('tag', '--annotate', '--cleanup=verbatim', '--message', `jobguard ${version}\n\n${notes}\n`, tag);
  console.log(`Committed and tagged ${tag}. To publish it: git push origin HEAD ${tag}`);
}

try {
  prepare(process.argv[2] ?? '');
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
