import { isMap, ownValue, type JsonValue } from './json.ts';

/** One step down an object: a map's key, or a list's index as a number. */
export type Segment = string | number;
export type Path = readonly Segment[];

/** A segment of a pattern: `*` stands for exactly one segment of whatever name. */
export type Pattern = readonly string[];

/** Writes a path as a JSON Pointer (RFC 6901): `['spec', 'a/b', 0]` is `/spec/a~1b/0`. */
export function pointer(path: Path): string {
  let text = '';
  for (const segment of path) text += `/${typeof segment === 'number' ? segment : escaped(segment)}`;
  return text;
}

function escaped(segment: string): string {
  return /[~/]/.test(segment) ? segment.replaceAll('~', '~0').replaceAll('/', '~1') : segment;
}

/** Returns what stands at a path; undefined where nothing does. */
export function valueAt(value: JsonValue | undefined, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((at, segment) => {
    if (typeof segment === 'number') return Array.isArray(at) ? at[segment] : undefined;
    return isMap(at) ? ownValue(at, segment) : undefined;
  }, value);
}

/** Reads a JSON Pointer (RFC 6901); undefined where `text` is none. */
export function parsePointer(text: string): Pattern | undefined {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}
