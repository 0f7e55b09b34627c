import { GO_TYPES } from '../../src/core/go-types.ts';

/** A field of one of the Go types, and a value of the outermost type in which it is present at its zero. */
export interface ZeroField {
  readonly field: string;
  readonly value: unknown;
}

/** Puts a value of an inner type into a value of the outermost. */
type Wrap = (inner: unknown) => unknown;

/**
 * Lists every field of the struct `root` and of the structs below it, each struct once, with as little around the field
 * as there can be: `{field: 'core/v1.Container.stdin', value: {tfReplicaSpecs: {Worker: {template: …}}}}`.
 */
export function zeroFields(root: string): ZeroField[] {
  const wraps = new Map<string, Wrap>([[root, (inner) => inner]]);
  const found: ZeroField[] = [];
  // A Map's iterator also meets what is added on the way.
  for (const [struct, wrap] of wraps) {
    for (const [name, notation] of Object.entries(GO_TYPES[struct] ?? {})) {
      found.push({ field: `${struct}.${name}`, value: wrap({ [name]: zero(notation) }) });
      const [inner, wrapInner] = unwrap(notation);
      if (inner in GO_TYPES && !wraps.has(inner)) wraps.set(inner, (value) => wrap({ [name]: wrapInner(value) }));
    }
  }
  return found;
}

const ZEROES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['string', ''],
  ['bytes', ''],
  ['bool', false],
  ['number', 0],
  ['intOrString', 0],
  ['quantity', '0'],
  ['time', null],
]);

/** The zero of a type, as JSON; behind a pointer that of the type pointed to. */
function zero(notation: string): unknown {
  if (notation.startsWith('*')) return zero(notation.slice(1));
  if (notation.startsWith('[]')) return [];
  return ZEROES.has(notation) ? ZEROES.get(notation) : {};
}

/** Takes pointers, lists and maps off a type, and returns what puts them on again: one item, one entry. */
function unwrap(notation: string): [inner: string, wrap: Wrap] {
  const parts = /^(?:(\*)|(\[\])|(map\[string\]))(.*?)(?:,omitempty)?$/.exec(notation);
  if (parts === null) return [notation, (inner) => inner];
  const [, , list, map, rest = ''] = parts;
  const [inner, wrap] = unwrap(rest);
  if (list !== undefined) return [inner, (value) => [wrap(value)]];
  return [inner, map === undefined ? wrap : (value): unknown => ({ Worker: wrap(value) })];
}
