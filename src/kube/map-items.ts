import { isMap, type JsonValue } from '../core/json.ts';

/** Copies a list or a map with each of its items changed; returns any other value as it is. */
export function mapItems(value: JsonValue, change: (item: JsonValue) => JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(change);
  // By entries: an assignment to `__proto__` would set no entry.
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)])) : value;
}
