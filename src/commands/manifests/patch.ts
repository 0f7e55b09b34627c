import { isMap, type JsonMap, type JsonValue } from '../../core/json.ts';
import { applyJsonPatch, PatchError } from '../../kube/json-patch.ts';
import { ManifestError, parseValue } from '../../kube/manifest.ts';
import { applyMergePatch } from '../../kube/merge-patch.ts';
import { UsageError } from '../usage-error.ts';
import { named, type Named } from './named.ts';

export type PatchType = 'merge' | 'json';

/** A patch, and what it is called where it is wrong. */
export interface Patch {
  readonly name: string;
  readonly value: JsonValue;
  readonly type: PatchType;
}

/**
 * Reads the text of a patch, YAML or JSON.
 *
 * @throws UsageError naming everything that is wrong with it
 */
export function parsePatch(text: string, name: string): JsonValue {
  try {
    return parseValue(text, name);
  } catch (error) {
    throw error instanceof ManifestError ? new UsageError(error.problems) : error;
  }
}

/**
 * Returns an object as a patch leaves it.
 *
 * @throws UsageError where the patch cannot be applied
 */
export function patched(before: Named, { name, value, type }: Patch): Named {
  const { object, positionOf } = before;
  const result = type === 'merge' ? mergePatched(object, value, name) : jsonPatched(object, value, name);
  return named({ object: result, positionOf }, name);
}

function mergePatched(object: JsonMap, patch: JsonValue, name: string): JsonMap {
  const result = isMap(patch) ? applyMergePatch(object, patch) : undefined;
  if (isMap(result)) return result;
  const hint = Array.isArray(patch) ? '; for a list of operations add --type json' : '';
  throw new UsageError([`${name}: a merge patch is a map${hint}`]);
}

function jsonPatched(object: JsonMap, patch: JsonValue, name: string): JsonMap {
  try {
    const result = applyJsonPatch(object, patch);
    if (isMap(result)) return result;
  } catch (error) {
    throw error instanceof PatchError ? new UsageError([`${name}: ${error.message}`]) : error;
  }
  throw new UsageError([`${name}: leaves no object`]);
}
