import { isMap, ownValue, type JsonValue } from '../../core/json.ts';
import type { Path } from '../../core/path.ts';

/** Returns what is at a path of an object; undefined where nothing is. */
export function valueAt(object: JsonValue | undefined, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((at, segment) => {
    if (typeof segment === 'number') return Array.isArray(at) ? at[segment] : undefined;
    return isMap(at) ? ownValue(at, segment) : undefined;
  }, object);
}
