import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';
import { parsePointer, type Path } from '../core/path.ts';

/** A value of a policy document, and where it is. */
export interface Found {
  readonly path: Path;
  readonly value: JsonValue;
}

export interface FoundText {
  readonly path: Path;
  readonly value: string;
}

/** An entry of `resources` that names a resource. */
export interface NamedResource {
  readonly path: Path;
  readonly group: string;
  readonly resource: string;
  readonly entry: JsonMap;
}

/** Returns the values at a place of a document, a JSON Pointer in which `*` is every item of a list. */
export function valuesAt(document: JsonValue, place: string): Found[] {
  return (parsePointer(place) ?? []).reduce<Found[]>(
    (found, segment) => found.flatMap((at) => childrenAt(at, segment)),
    [{ path: [], value: document }],
  );
}

/** Returns the texts at some places; what has another type is the schema's business. */
export function textsAt(document: JsonValue, places: readonly string[]): FoundText[] {
  return places
    .flatMap((place) => valuesAt(document, place))
    .flatMap(({ path, value }) => (typeof value === 'string' ? [{ path, value }] : []));
}

/** Returns the entries of `resources`, without those that lack a group or a resource. */
export function namedResources(document: JsonValue): NamedResource[] {
  return valuesAt(document, '/resources/*').flatMap(({ path, value: entry }) => {
    if (!isMap(entry)) return [];
    const [group, resource] = [ownValue(entry, 'group'), ownValue(entry, 'resource')];
    return typeof group === 'string' && typeof resource === 'string' ? [{ path, group, resource, entry }] : [];
  });
}

/** Tells whether a document sets a key of its own to true: `allowBroadPaths`. */
export function isSet(document: JsonValue, key: string): boolean {
  return isMap(document) && ownValue(document, key) === true;
}

function childrenAt({ path, value }: Found, segment: string): Found[] {
  if (segment === '*') {
    const items = Array.isArray(value) ? value : [];
    return items.map((item, index) => ({ path: [...path, index], value: item }));
  }
  const child = isMap(value) ? ownValue(value, segment) : undefined;
  return child === undefined ? [] : [{ path: [...path, segment], value: child }];
}
