import { GO_TYPES } from '../../src/core/go-types.ts';
import { NumberText, type Tree } from './json-tree.ts';

/** One value of a job, with where it stands and the Go type of the place: undefined where the Go types do not know it. */
export interface Place {
  readonly path: readonly (string | number)[];
  readonly value: Tree;
  readonly type: string | undefined;
  /** Whether it is an entry of a Go map or an item of a list, which are data, and not a field. */
  readonly isEntry: boolean;
}

const known = new WeakMap<object, readonly Place[]>();

/** Lists every value of a job, itself first. Trees do not change, so a tree is walked once. */
export function placesOf(tree: Tree, type: string | undefined): readonly Place[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const places = known.get(tree) ?? [...walk({ path: [], value: tree, type, isEntry: false })];
  known.set(tree, places);
  return places;
}

function* walk(place: Place): Generator<Place> {
  yield place;
  const { path, value, type } = place;
  if (!Array.isArray(value) && !(value instanceof Map)) return;
  const isEntry = Array.isArray(value) || withoutMarks(type)?.startsWith('map[string]') === true;
  for (const [segment, child] of value.entries()) {
    yield* walk({ path: [...path, segment], value: child, type: childTypeOf(type, segment), isEntry });
  }
}

/** Returns the type of what stands in a value of type `marked` under a key or an index. */
export function childTypeOf(marked: string | undefined, segment: string | number): string | undefined {
  const type = withoutMarks(marked);
  const entry = /^(?:\[\]|map\[string\])(.*)$/.exec(type ?? '')?.[1];
  return entry ?? fieldsOf(type).get(String(segment));
}

const FIELDS = new Map(Object.entries(GO_TYPES).map(([name, fields]) => [name, new Map(Object.entries(fields))]));
const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** Lists the fields of a struct with their types. */
export function fieldsOf(type: string | undefined): ReadonlyMap<string, string> {
  return FIELDS.get(withoutMarks(type) ?? '') ?? NO_FIELDS;
}

const MARKED = /^\*?(.*?)(?:,omitempty)?$/;

/** Takes the marks for a pointer and for omitempty off a type. */
export function withoutMarks(type: string | undefined): string | undefined {
  return type === undefined ? undefined : MARKED.exec(type)?.[1];
}

export const isEntry = (place: Place): boolean => place.isEntry;
export const holdsEntries = ({ value, type }: Place): boolean =>
  Array.isArray(value) || (value instanceof Map && withoutMarks(type)?.startsWith('map[string]') === true);
export const isBelowRoot = ({ path }: Place): boolean => path.length > 0;
export const isNumber = ({ value }: Place): boolean => value instanceof NumberText;
export const isString = ({ value, type }: Place): boolean => typeof value === 'string' && !type?.endsWith('quantity');
export const isMap = ({ value }: Place): boolean => value instanceof Map;
export const isFilledMap = ({ value }: Place): boolean => value instanceof Map && value.size > 0;
export const isFilledList = ({ value }: Place): boolean => Array.isArray(value) && value.length > 0;
export const isQuantity = ({ type }: Place): boolean => withoutMarks(type) === 'quantity';
export const isStruct = ({ value, type }: Place): boolean => value instanceof Map && fieldsOf(type).size > 0;
export const isContainer = ({ type, value }: Place): boolean => type === 'core/v1.Container' && value instanceof Map;
export const isPodSpec = ({ type, value }: Place): boolean => type === 'core/v1.PodSpec' && value instanceof Map;
export const isPodTemplate = ({ type, value }: Place): boolean =>
  type === 'core/v1.PodTemplateSpec' && value instanceof Map;
export const isReplicaSpecs = ({ type, value }: Place): boolean =>
  type === 'map[string]kubeflow.org/v1.ReplicaSpec' && value instanceof Map;

/** The image of a container is shown in messages, so that nothing secret may be put there. */
export const isImage = ({ path }: Place): boolean => path.at(-1) === 'image' && path.at(-3) !== 'volumes';
