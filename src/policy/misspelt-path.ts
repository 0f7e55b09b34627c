import { UNKNOWN, type FieldType } from '../core/field-type.ts';
import type { Pattern } from '../core/path.ts';
import { nearest } from './nearest.ts';

/** Where a path leaves what is known: `type` has nothing at its segment of index `depth`. */
export interface Miss {
  readonly depth: number;
  readonly type: FieldType;
  /** What `type` lies in; undefined for the whole object. */
  readonly container: FieldType | undefined;
}

/** Finds where a path leaves a type; undefined where it does not, or leads to what nothing is known of. */
export function missIn(type: FieldType, path: Pattern, depth = 0, container?: FieldType): Miss | undefined {
  const segment = path[depth];
  if (segment === undefined || type === UNKNOWN) return undefined;
  const misses = typesAt(type, segment).map((child) => missIn(child, path, depth + 1, type));
  if (misses.length === 0) return { depth, type, container };
  return misses.reduce((deepest, miss) => (isDeeper(miss, deepest) ? miss : deepest));
}

/** A path that misses nothing went deepest of all. */
function isDeeper(miss: Miss | undefined, than: Miss | undefined): boolean {
  return than !== undefined && (miss === undefined || miss.depth > than.depth);
}

/** Returns the types that a path leads to. */
export function typesBelow(type: FieldType, path: Pattern): FieldType[] {
  return path.reduce<FieldType[]>((types, segment) => types.flatMap((at) => typesAt(at, segment)), [type]);
}

/** Returns the types of what a segment of a pattern can stand for. */
function typesAt(type: FieldType, segment: string): readonly FieldType[] {
  return TYPES_AT[type.kind](type, segment);
}

type TypesAt = (type: FieldType, segment: string) => readonly FieldType[];

const ANYTHING: TypesAt = ({ fields, items = UNKNOWN }, segment) => [fields.get(segment) ?? items];
const NOTHING: TypesAt = () => [];

const TYPES_AT: Readonly<Record<FieldType['kind'], TypesAt>> = {
  struct: ({ fields }, segment) =>
    [...fields].filter(([name]) => segment === '*' || segment === name).map(([, field]) => field),
  map: ({ fields, items = UNKNOWN }, segment) => (segment === '*' || isKey(segment, fields) ? [items] : []),
  list: ({ items = UNKNOWN }, segment) => (/^(?:\*|\d+)$/.test(segment) ? [items] : []),
  scalar: NOTHING,
  quantity: NOTHING,
  unknown: ANYTHING,
  serverOwned: ANYTHING,
};

/** Where a map names its keys, no other is meant; the operator reads them without regard to case. */
function isKey(segment: string, keys: ReadonlyMap<string, FieldType>): boolean {
  return keys.size === 0 || keys.keys().some((key) => key.toLowerCase() === segment.toLowerCase());
}

/** Returns the path that was most likely meant; undefined where none is near. */
export function correctPath(type: FieldType, path: Pattern): Pattern | undefined {
  const miss = missIn(type, path);
  const corrected = miss === undefined ? undefined : correctAt(path, miss);
  return corrected === undefined ? undefined : (correctPath(type, corrected) ?? corrected);
}

function correctAt(path: Pattern, { depth, type, container }: Miss): Pattern | undefined {
  const [head, wrong = '', tail] = [path.slice(0, depth), path[depth], path.slice(depth + 1)];
  // A slash of the key that should have been written ~1: /metadata/annotations/example.com/owner.
  if (container?.kind === 'map' && type.kind === 'scalar') {
    return [...path.slice(0, depth - 1), path.slice(depth - 1).join('/')];
  }
  const near = nearest(wrong, [...type.fields.keys()]);
  if (near !== undefined) return [...head, near, ...tail];
  const between = levelAbove(wrong, type);
  return between === undefined ? undefined : [...head, between, wrong, ...tail];
}

/** Returns what leads to a field that lies one level further down. */
function levelAbove(field: string, { items, fields }: FieldType): string | undefined {
  if (items?.fields.has(field) === true) return '*';
  return [...fields].find(([, type]) => type.fields.has(field))?.[0];
}
