import type { AdmissionRequest } from '../../core/admission.ts';
import type { JudgedChange, Verdict } from '../../core/decide.ts';
import { isMap, ownValue, type JsonMap, type JsonValue } from '../../core/json.ts';
import { type Path, valueAt } from '../../core/path.ts';
import { createJsonPatch } from '../../kube/json-patch.ts';

/**
 * Makes the JSON Patch (RFC 6902) of what is permitted of an update; the API server takes it alone.
 * Of a Scale, which says one thing only, that is all or nothing.
 */
export function permittedPatch(
  { oldObject, object, subResource }: AdmissionRequest,
  { decision }: Verdict,
): JsonValue[] {
  if (!isMap(oldObject) || !isMap(object) || !('changes' in decision)) return [];
  if (subResource === 'scale') return decision.outcome === 'deny' ? [] : createJsonPatch(oldObject, object);
  return createJsonPatch(oldObject, permittedObject(oldObject, object, decision.changes));
}

function permittedObject(oldObject: JsonMap, newObject: JsonMap, changes: readonly JudgedChange[]): JsonMap {
  const permitted = changes
    .filter((change) => change.permitted)
    .map(({ path }) => ({ path, value: valueAt(newObject, path) }));
  const [set, removed] = [
    permitted.filter(({ value }) => value !== undefined),
    permitted.filter(({ value }) => value === undefined),
  ];
  // What is removed last to first: an item's index holds until one before it goes.
  const object = [...set, ...removed.reverse()].reduce<JsonValue>(
    (changed, { path, value }) => withValueAt(changed, path, value),
    oldObject,
  );
  return isMap(object) ? object : oldObject;
}

/** Copies a value with another one at a path; undefined removes it. What is missing on the way there is made. */
function withValueAt(container: JsonValue | undefined, path: Path, value: JsonValue | undefined): JsonValue {
  const [segment, ...rest] = path;
  if (segment === undefined) return container ?? null;
  const below = (item: JsonValue | undefined): JsonValue | undefined =>
    rest.length === 0 ? value : withValueAt(item, rest, value);
  return typeof segment === 'number'
    ? withItem(Array.isArray(container) ? container : [], segment, below)
    : withEntry(isMap(container) ? container : {}, segment, below);
}

type Replacement = (item: JsonValue | undefined) => JsonValue | undefined;

/** An item past the end cannot come without those before it. */
function withItem(list: readonly JsonValue[], index: number, replacement: Replacement): JsonValue[] {
  if (index > list.length) return [...list];
  const item = replacement(list[index]);
  return list.toSpliced(index, 1, ...(item === undefined ? [] : [item]));
}

/** A computed key is the map's own, `__proto__` too. */
function withEntry(map: JsonMap, key: string, replacement: Replacement): JsonMap {
  const item = replacement(ownValue(map, key));
  if (item !== undefined) return { ...map, [key]: item };
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
}
