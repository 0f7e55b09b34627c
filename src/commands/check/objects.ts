import { ManifestError, parseManifest } from '../../kube/manifest.ts';
import { nameOf, readText, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import type { Source } from './update-request.ts';

/**
 * Reads the one object of a file.
 *
 * @throws UsageError
 */
export async function readObject(file: string, context: InputContext): Promise<Source> {
  const text = await readText(file, context);
  const name = nameOf(file);
  try {
    return { file: name, object: parseManifest(text, name) };
  } catch (error) {
    throw error instanceof ManifestError ? new UsageError(error.problems) : error;
  }
}
