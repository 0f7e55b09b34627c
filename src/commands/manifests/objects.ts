import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { ManifestError, parseObjects } from '../../kube/manifest.ts';
import { nameOf, readProblem, readText, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import { isTemplate, named, namingProblems, objectsOf, type Named } from './named.ts';

/** What a path of the command line holds. */
export interface Objects {
  readonly isFolder: boolean;
  readonly objects: readonly Named[];
}

/**
 * Reads the objects of a file, of `-`, which is stdin, or of every manifest in a folder and below it.
 *
 * @throws UsageError
 */
export async function readObjects(path: string, context: InputContext): Promise<Objects> {
  const isFolder = path !== '-' && (await isDirectory(path));
  if (!isFolder) return { isFolder, objects: objectsOf(await readText(path, context), nameOf(path)) };
  const objects: Named[] = [];
  for (const file of await manifestFiles(path)) objects.push(...objectsInFolder(await readText(file, context), file));
  return { isFolder, objects };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new UsageError([`${path}: ${readProblem(error)}`]);
  }
}

const MANIFEST_FILE = /\.(?:ya?ml|json)$/i;

/** Tells by its name whether a file may hold manifests. */
export function isManifestFile(path: string): boolean {
  return MANIFEST_FILE.test(path);
}

/** Finds the files of a folder that may hold manifests, in the order of their names; hidden ones are not for clusters. */
async function manifestFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const visible = entries.filter(({ name }) => !name.startsWith('.') && name !== 'node_modules');
  const sorted = visible.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of sorted) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await manifestFiles(path)));
    else if (isManifestFile(path) && (await isFile(path))) files.push(path);
  }
  return files;
}

/** A link may lead to a file, or to nothing. */
async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * Reads the objects of a file that was found in a folder: what is no manifest is passed over.
 *
 * @throws UsageError where it seems to be a manifest and cannot be read
 */
export function objectsInFolder(text: string, file: string): Named[] {
  if (!LOOKS_LIKE_MANIFEST.test(text)) return [];
  try {
    return parseObjects(text, file).flatMap((found) =>
      namingProblems(found.object).length === 0 ? [named(found, file)] : [],
    );
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    if (isTemplate(text)) return [];
    throw new UsageError(error.problems);
  }
}

const LOOKS_LIKE_MANIFEST = /^[ \t{,-]*["']?apiVersion["']?\s*:/m;
