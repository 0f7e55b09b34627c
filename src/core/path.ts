import { childType, type FieldType } from './field-type.ts';
import { printable, shorten } from './text.ts';

/** One step down an object: a map's key, or a list's index as a number. */
export type Segment = string | number;
export type Path = readonly Segment[];

/** A segment of a pattern: `*` stands for exactly one segment of whatever name. */
export type Pattern = readonly string[];

/** Writes a path as a JSON Pointer (RFC 6901): `['spec', 'a/b', 0]` is `/spec/a~1b/0`. */
export function pointer(path: Path): string {
  return path.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
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

/** Orders paths segment by segment: list indexes by number, everything else by UTF-16 code units, parents first. */
export function comparePaths(a: Path, b: Path): number {
  const length = Math.max(a.length, b.length);
  for (let depth = 0; depth < length; depth += 1) {
    const order = compareSegments(a[depth], b[depth]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareSegments(a: Segment | undefined, b: Segment | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = String(a);
  const right = String(b);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** A name that needs no brackets: Kubernetes' field names, and what looks like one. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** A key that needs no quotes: Kubernetes' label keys and resource names. */
const PLAIN_KEY = /^[A-Za-z0-9_./*-]+$/;

const MAX_KEY_LENGTH = 64;
const MAX_FIELD_PATH_LENGTH = 200;
const MAX_POINTER_LENGTH = 512;

/**
 * Writes a path the Kubernetes way: `spec.tfReplicaSpecs[Worker].template.spec.containers[0].image`.
 * Keys of maps stand in brackets, and so does what could be taken for more than one segment.
 * Source: k8s.io/apimachinery pkg/util/validation/field/path.go.
 */
export function fieldPath(path: Path, root: FieldType): string {
  let text = '';
  let type = root;
  for (const segment of path) {
    text += segmentText(segment, type.kind === 'map', text === '');
    type = childType(type, segment);
  }
  return shorten(text, MAX_FIELD_PATH_LENGTH);
}

function segmentText(segment: Segment, isMapKey: boolean, isFirst: boolean): string {
  if (typeof segment === 'number') return `[${segment}]`;
  if (!isMapKey && FIELD_NAME.test(segment) && segment.length <= MAX_KEY_LENGTH)
    return isFirst ? segment : `.${segment}`;
  const key = printable(segment, MAX_KEY_LENGTH);
  return PLAIN_KEY.test(key) ? `[${key}]` : `["${key.replaceAll('"', String.raw`\"`)}"]`;
}

/** Writes a path as a JSON Pointer that is fit to be shown: odd characters escaped, long keys and paths shortened. */
export function printablePointer(path: Path): string {
  const keys = path.map((segment) => (typeof segment === 'number' ? segment : printable(segment, MAX_KEY_LENGTH)));
  return shorten(pointer(keys), MAX_POINTER_LENGTH);
}
