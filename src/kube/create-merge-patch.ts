import { isDeepStrictEqual } from 'node:util';

import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';

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
