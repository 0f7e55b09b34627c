import { isDeepStrictEqual } from 'node:util';

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

/** Makes the JSON Merge Patch (RFC 7386) that turns one object into another; it cannot set an entry to null. */
export function createMergePatch(before: JsonMap, after: JsonMap): JsonMap {
  const removed = Object.keys(before)
    .filter((key) => !Object.hasOwn(after, key))
    .map((key): [string, JsonValue] => [key, null]);
  const changed = Object.entries(after).flatMap(([key, value]): [string, JsonValue][] => {
    const old = ownValue(before, key);
    if (isDeepStrictEqual(old, value)) return [];
    return [[key, isMap(old) && isMap(value) ? createMergePatch(old, value) : value]];
  });
  return Object.fromEntries([...removed, ...changed]);
}
