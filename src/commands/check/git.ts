import { execFile } from 'node:child_process';
import { join, relative } from 'node:path';

import { readText, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import type { Named } from '../manifests/named.ts';
import { isManifestFile, objectsInFolder } from '../manifests/objects.ts';

/** The objects of the files that differ between a git revision and the working tree. */
export interface Revisions {
  readonly before: readonly Named[];
  readonly after: readonly Named[];
}

/**
 * Reads the manifests that have changed since a git revision, below the given paths or in the whole repository, by the
 * git on the PATH. Files that are new count, committed or not, unless git ignores them.
 *
 * @throws UsageError where git cannot say, or a manifest cannot be read
 */
export async function readRevisions(base: string, paths: readonly string[], context: InputContext): Promise<Revisions> {
  const root = (await git(['rev-parse', '--show-toplevel'])).trimEnd();
  const revision = (
    await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${base}^{commit}`], base)
  ).trimEnd();
  const below = ['--', ...(paths.length === 0 ? [root] : paths)];
  // Without looking for renames: objects are found by their names, whatever file they are in.
  const changes = await git(['diff', '--name-status', '--no-renames', '--no-ext-diff', '-z', revision, ...below]);
  const untracked = await git(['ls-files', '--others', '--exclude-standard', '--full-name', '-z', ...below]);
  const changed = statusesOf(changes);
  const namesWhere = (isWanted: (status: string) => boolean): string[] =>
    changed
      .filter(({ status }) => isWanted(status))
      .map(({ name }) => name)
      .filter(isManifestFile);
  const oldNames = namesWhere((status) => status !== 'A');
  const newNames = [...namesWhere((status) => status !== 'D'), ...listOf(untracked).filter(isManifestFile)];
  return {
    before: await readAll(oldNames, (name) => git(['show', `${revision}:${name}`]), root),
    after: await readAll(newNames, (name) => readText(join(root, name), context), root),
  };
}

async function readAll(
  names: readonly string[],
  read: (name: string) => Promise<string>,
  root: string,
): Promise<Named[]> {
  const objects: Named[] = [];
  for (const name of names) objects.push(...objectsInFolder(await read(name), relative('', join(root, name))));
  return objects;
}

interface ChangedFile {
  /** `A` added, `D` deleted, another letter otherwise. */
  readonly status: string;
  /** From the top of the repository. */
  readonly name: string;
}

function statusesOf(output: string): ChangedFile[] {
  const fields = listOf(output);
  return fields.flatMap((status, index) => (index % 2 === 0 ? [{ status, name: fields[index + 1] ?? '' }] : []));
}

/** Splits what git ends with NUL each. */
function listOf(output: string): string[] {
  return output.split('\0').slice(0, -1);
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024; // more than any manifest, and than the names of a million files

function git(args: readonly string[], revision?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('git', args, { maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new UsageError([`--git: ${problemOf(error, stderr, revision)}`]));
    });
  });
}

function problemOf(error: Error, stderr: string, revision: string | undefined): string {
  if ('code' in error && error.code === 'ENOENT') return 'there is no git on the PATH';
  if (revision !== undefined) return `"${revision}" is no revision of this repository`;
  const [first = ''] = stderr.split('\n');
  return first === '' ? error.message : first;
}
