import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';

/**
 * Applies a JSON Merge Patch (RFC 7386) to a value.
 *
 * Not by the package `json-merge-patch`: it stops at a key named `constructor`, and takes an exact number for a map.
 */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isMap(patch)) return patch;
  const before: JsonMap = isMap(target) ? target : {};
  const kept = Object.entries(before).filter(([key]) => !Object.hasOwn(patch, key));
  const changed = Object.entries(patch)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, applyMergePatch(ownValue(before, key), value)] as const);
  return Object.fromEntries([...kept, ...changed]);
}
