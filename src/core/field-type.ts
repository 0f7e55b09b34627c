import { GO_ROOTS, GO_TYPES } from './go-types.ts';
import type { Pattern, Segment } from './path.ts';
import { resourceName } from './resource-name.ts';

/** What is known of the Go type behind a place in an object; decides which spellings of a value mean the same. */
export interface FieldType {
  readonly kind: 'unknown' | 'scalar' | 'quantity' | 'struct' | 'map' | 'list' | 'serverOwned';
  /** The scalar that equals an absent field; undefined where no scalar does, as behind a pointer. */
  readonly zero: '' | false | 0 | undefined;
  /** Whether `null` is absent: at a field it is, as the entry of a map it is a value. */
  readonly nullIsAbsent: boolean;
  /** Whether a map all of whose entries count as absent is absent itself. */
  readonly emptyMapIsAbsent: boolean;
  readonly emptyListIsAbsent: boolean;
  readonly isContainerImage: boolean;
  /** The types of the named fields. */
  readonly fields: ReadonlyMap<string, FieldType>;
  /** The type of every list item, map entry or field that `fields` does not name; undefined is `UNKNOWN`. */
  readonly items: FieldType | undefined;
}

/** A field that the Go types do not have. */
export const UNKNOWN: FieldType = {
  kind: 'unknown',
  zero: undefined,
  nullIsAbsent: true,
  emptyMapIsAbsent: false,
  emptyListIsAbsent: true,
  isContainerImage: false,
  fields: new Map(),
  items: undefined,
};

/**
 * The metadata that the API server owns: it sets, bumps or restores each of these before it asks.
 * Source: k8s.io/apiserver pkg/registry/rest/update.go, BeforeUpdate; pkg/endpoints/handlers/fieldmanager.
 */
export const SERVER_OWNED_METADATA: readonly string[] = [
  'managedFields',
  'generation',
  'resourceVersion',
  'selfLink',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

const CONTAINER_STRUCTS = new Set(['core/v1.Container', 'core/v1.EphemeralContainer']);

type Exception = readonly [Pattern, Partial<FieldType>];

/**
 * Where Go's own rule is not the operator's: the CRDs default `suspend` to false, an empty `metrics` makes the operator
 * create an autoscaler where an absent one does not, and an empty `rdzvConf` makes it panic.
 *
 * Source: kubeflow/training-operator v1.9.4 manifests/base/crds, pkg/controller.v1/pytorch/hpa.go and elastic.go. Every
 * comparison with nil, "" or 0 and every len() was read in pkg/apis/kubeflow.org/v1 (defaults, validation),
 * pkg/common/util, pkg/controller.v1 (all), pkg/core, pkg/util and pkg/webhooks. What else depends on one is:
 * - a pointer, of which nothing but null is absent here (replicas, suspend, backoffLimit, minAvailable, minResources);
 * - a replica type whose value is null: the entry of a map, a value here;
 * - a list, map or string that the operator treats alike when it is nil and when it is empty (labels, env, ports,
 *   command, queue, restartPolicy, status.replicaStatuses);
 * - `resources.requests`, which AddResourceList (pkg/controller.v1/common/util.go) takes from the limits where it is nil,
 *   and not where it is empty: it changes `minResources` of the PodGroup, under gang scheduling, and nothing of a pod.
 *   It is no exception: Go writes neither, so that a typed client could never again update a job that has an empty one.
 */
const KUBEFLOW_EXCEPTIONS: readonly Exception[] = [
  [['spec', 'runPolicy', 'suspend'], { zero: false }],
  [['spec', 'elasticPolicy', 'metrics'], { emptyListIsAbsent: false }],
  [['spec', 'elasticPolicy', 'rdzvConf'], { emptyListIsAbsent: false }],
];

/**
 * An empty list replaces what the runtime has, and an absent one does not.
 * Source: kubeflow/trainer v2.3.0 pkg/runtime/framework/plugins/jobset/builder.go, where `command` and `args` are compared
 * with nil; no other list of the TrainJob is.
 */
const TRAINER_EXCEPTIONS: readonly Exception[] = [
  [['spec', 'trainer', 'command'], { emptyListIsAbsent: false }],
  [['spec', 'trainer', 'args'], { emptyListIsAbsent: false }],
];

/**
 * What the CRD defaults to something else than Go's zero.
 * Source: kubernetes-sigs/jobset v0.12.0 api/jobset/v1alpha2/jobset_types.go, ReplicatedJob.
 */
const JOBSET_EXCEPTIONS: readonly Exception[] = [
  [['spec', 'replicatedJobs', '*', 'groupName'], { zero: undefined }],
  [['spec', 'replicatedJobs', '*', 'replicas'], { zero: undefined }],
];

/** By the group of the kinds that have them. */
const EXCEPTIONS: ReadonlyMap<string, readonly Exception[]> = new Map([
  ['kubeflow.org', KUBEFLOW_EXCEPTIONS],
  ['trainer.kubeflow.org', TRAINER_EXCEPTIONS],
  ['jobset.x-k8s.io', JOBSET_EXCEPTIONS],
]);

/**
 * Returns the type of what lies at `segment`, a key or an index, of a value of type `parent`.
 * Nothing is known of what lies in a list that stands in place of a map, or in a map that stands in place of a list.
 */
export function childType(parent: FieldType, segment: Segment): FieldType {
  const hasItsShape = parent.kind === 'unknown' || (parent.kind === 'list') === (typeof segment === 'number');
  return hasItsShape ? entryOf(parent, segment) : UNKNOWN;
}

function entryOf(parent: FieldType, segment: Segment): FieldType {
  return (typeof segment === 'string' ? parent.fields.get(segment) : undefined) ?? parent.items ?? UNKNOWN;
}

/**
 * Returns the type of a whole object of the given resource.
 * The kinds in `GO_ROOTS` are known throughout; of others, what the server owns and what lies below `podTemplates`.
 */
export function objectType(group: string, resource: string, podTemplates: readonly Pattern[]): FieldType {
  const structs = new Map<string, ReadonlyMap<string, FieldType>>();
  const rootName = new Map(Object.entries(GO_ROOTS)).get(resourceName(group, resource));
  const root = rootName === undefined ? UNKNOWN : parseType(rootName, structs);
  // Whether an unknown field that holds a template is a pointer nobody can tell; the stricter reading takes it for one.
  const podTemplate = pointerType(parseType('core/v1.PodTemplateSpec', structs));

  const changes: (readonly [Pattern, (found: FieldType) => FieldType])[] = [
    ...podTemplates.map(
      (place) => [place, (found: FieldType) => (found.kind === 'unknown' ? podTemplate : found)] as const,
    ),
    ...(rootName === undefined ? [] : (EXCEPTIONS.get(group) ?? [])).map(
      ([place, change]) => [place, (found: FieldType) => ({ ...found, ...change })] as const,
    ),
    ...SERVER_OWNED_METADATA.map(
      (field) => [['metadata', field], (found: FieldType) => ({ ...found, kind: 'serverOwned' as const })] as const,
    ),
  ];
  return changes.reduce((type, [place, replace]) => replaceAt(type, place, replace), root);
}

/** Returns the type of a struct by its name in the table: `meta/v1.ObjectMeta`. */
export function structType(name: string): FieldType {
  return parseType(name, new Map());
}

/** Returns `type` with the type at `place` replaced; what the Go types do not know on the way becomes known there. */
export function replaceAt(type: FieldType, place: Pattern, replace: (found: FieldType) => FieldType): FieldType {
  const [segment, ...rest] = place;
  if (segment === undefined) return replace(type);
  const child = replaceAt(entryOf(type, segment), rest, replace);
  return segment === '*' ? { ...type, items: child } : { ...type, fields: new Map(type.fields).set(segment, child) };
}

/**
 * Reads the notation of the table: `*core/v1.Affinity`, `[]string`, `map[string]quantity,omitempty`.
 * Structs are read once and shared through `structs`.
 */
function parseType(notation: string, structs: Map<string, ReadonlyMap<string, FieldType>>): FieldType {
  if (notation.startsWith('*')) return pointerType(parseType(notation.slice(1), structs));
  if (notation.startsWith('[]')) {
    return { ...UNKNOWN, kind: 'list', items: entryType(parseType(notation.slice(2), structs)) };
  }

  const map = /^map\[string\](.*?)(,omitempty)?$/.exec(notation);
  if (map !== null) {
    const [, entry = '', omitempty] = map;
    const items = entryType(parseType(entry, structs));
    return { ...NO_LIST, kind: 'map', items, emptyMapIsAbsent: omitempty !== undefined };
  }
  return (
    SCALARS.get(notation) ?? {
      ...NO_LIST,
      kind: 'struct',
      emptyMapIsAbsent: true,
      fields: structFields(notation, structs),
    }
  );
}

/** A field that takes no list: an empty one there is a value, however wrong. */
const NO_LIST: FieldType = { ...UNKNOWN, emptyListIsAbsent: false };

const SCALARS: ReadonlyMap<string, FieldType> = new Map<string, FieldType>([
  ['string', { ...NO_LIST, kind: 'scalar', zero: '' }],
  ['bool', { ...NO_LIST, kind: 'scalar', zero: false }],
  ['number', { ...NO_LIST, kind: 'scalar', zero: 0 }],
  ['intOrString', { ...NO_LIST, kind: 'scalar', zero: 0 }],
  ['quantity', { ...NO_LIST, kind: 'quantity', zero: 0 }],
  ['time', { ...NO_LIST, kind: 'scalar' }],
  ['opaque', UNKNOWN],
]);

/** A type behind a pointer, where nothing equals an absent value but null. */
function pointerType(type: FieldType): FieldType {
  return { ...type, zero: undefined, emptyMapIsAbsent: false, emptyListIsAbsent: false };
}

/** The type of a list's or map's entry, which is data: nothing equals an absent one. */
function entryType(type: FieldType): FieldType {
  return { ...pointerType(type), nullIsAbsent: false };
}

function structFields(
  name: string,
  structs: Map<string, ReadonlyMap<string, FieldType>>,
): ReadonlyMap<string, FieldType> {
  const known = structs.get(name);
  if (known !== undefined) return known;

  const { [name]: notations = {} } = GO_TYPES; // the table names no struct that it does not have: its test says so
  const fields = new Map<string, FieldType>();
  structs.set(name, fields); // before its fields are read: a struct may hold itself
  for (const [field, notation] of Object.entries(notations)) {
    const isContainerImage = field === 'image' && CONTAINER_STRUCTS.has(name);
    fields.set(
      field,
      isContainerImage ? { ...parseType(notation, structs), isContainerImage } : parseType(notation, structs),
    );
  }
  return fields;
}
