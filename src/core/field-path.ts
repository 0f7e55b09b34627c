import { childType, type FieldType } from './field-type.ts';
import { pointer, type Path, type Segment } from './path.ts';
import { printable, shorten } from './text.ts';

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

/** What lies above the fields of every job: since training-operator 1.3 some that were in `spec` are in `spec.runPolicy`. */
const FAMILIAR_PARENT = /^(?:metadata|spec(?:\.runPolicy)?)\.(?=[^.[]+$)/;

/** Shortens a field path where its last name says enough: `labels`, `cleanPodPolicy`; any other stays as it is. */
export function fieldName(field: string): string {
  return field.replace(FAMILIAR_PARENT, '');
}

/** Writes a path as a JSON Pointer that is fit to be shown: odd characters escaped, long keys and paths shortened. */
export function printablePointer(path: Path): string {
  const keys = path.map((segment) => (typeof segment === 'number' ? segment : printable(segment, MAX_KEY_LENGTH)));
  return shorten(pointer(keys), MAX_POINTER_LENGTH);
}
