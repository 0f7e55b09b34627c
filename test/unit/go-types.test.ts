import { describe, expect, test } from '@jest/globals';
import { GO_ROOTS, GO_TYPES } from '../../src/core/go-types.ts';
import type { JsonMap, JsonValue } from '../../src/core/json.ts';
import { pointer, type Path } from '../../src/core/path.ts';
import { policyWith, verdictOn } from '../support/review.ts';

/** A field of the table at one place of a job: the first item of each list, one entry of each map. */
interface Place {
  readonly path: Path;
  readonly notation: string;
}

function placesBelow(notation: string, path: Path): Place[] {
  if (notation.startsWith('*')) return placesBelow(notation.slice(1), path);
  if (notation.startsWith('[]')) return placesBelow(notation.slice(2), [...path, 0]);
  const entry = /^map\[string\]([^,]*)/.exec(notation)?.[1];
  if (entry !== undefined) return placesBelow(entry, [...path, 'key']);
  return Object.entries(GO_TYPES[notation] ?? {}).flatMap(([field, type]) => [
    { path: [...path, field], notation: type },
    ...placesBelow(type, [...path, field]),
  ]);
}

const ZEROS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['string', ''],
  ['bool', false],
  ['number', 0],
  ['intOrString', 0],
  ['quantity', '0'],
  ['time', null],
]);

/** What Go writes for the zero of a type, or for a pointer to it; a time that is zero it writes as null. */
function zeroOf(notation: string): JsonValue {
  if (notation.startsWith('*')) return notation === '*time' ? '0001-01-01T00:00:00Z' : zeroOf(notation.slice(1));
  if (notation.startsWith('[]')) return [];
  return ZEROS.has(notation) ? (ZEROS.get(notation) ?? null) : {};
}

const SERVER_OWNED =
  /^\/metadata\/(managedFields|generation|resourceVersion|selfLink|uid|creationTimestamp|deletionTimestamp|deletionGracePeriodSeconds)(\/|$)/;
const isServerOwned = ({ path }: Place): boolean => SERVER_OWNED.test(pointer(path));
const isPointer = ({ notation }: Place): boolean => notation.startsWith('*');
const isMapWithoutOmitempty = ({ notation }: Place): boolean => /^map\[string\][^,]*$/.test(notation);

/**
 * Makes a job with `value` at `path`, or with nothing there. With `isHeld` each object on the way has something else in
 * it besides, so that it is there with or without the value.
 */
function jobWith(path: Path, value: JsonValue | undefined, isHeld: boolean): JsonValue {
  const [segment, ...rest] = path;
  if (segment === undefined) return value ?? null;
  if (typeof segment === 'number') return [jobWith(rest, value, isHeld)];
  const entries: [string, JsonValue][] = isHeld ? [['held', true]] : [];
  return Object.fromEntries(
    rest.length === 0 && value === undefined ? entries : [...entries, [segment, jobWith(rest, value, isHeld)]],
  );
}

/** Judges the update that sets a field, and the one that takes it out again. */
function verdicts(kind: Kind, { path }: Place, value: JsonValue, isHeld = true): [string[], string[]] {
  const without = jobWith(path, undefined, isHeld);
  const withField = jobWith(path, value, isHeld);
  return [verdictFor(kind, without, withField), verdictFor(kind, withField, without)];
}

/** Judges an update by the default list of what may change. */
function verdictFor({ group, resource }: Kind, oldObject: JsonValue, object: JsonValue): string[] {
  return verdictOn({ group, resource, oldObject, object }, POLICY);
}

const isAllowed = (verdict: readonly string[]): boolean => verdict.length === 1 && verdict[0] === 'allow';

/** Tells whether both verdicts are denials that name the place and nothing else. */
function isDeniedThere({ path }: Place, [added, removed]: [string[], string[]]): boolean {
  const place = pointer(path);
  return added.join() === `deny,add ${place}` && removed.join() === `deny,remove ${place}`;
}

interface Kind {
  readonly group: string;
  readonly resource: string;
  readonly counts: { values: number; pointers: number; mapsWithoutOmitempty: string[] };
  /** Pointers whose zero may come and go, most because everybody may change them. */
  readonly freePointers: readonly string[];
  /** Others that everybody may change. */
  readonly freeValues: readonly string[];
  /** Fields that are no pointers, and whose zero counts all the same. */
  readonly countedZeros: readonly string[];
}

const FREE_IN_RUN_POLICY = [
  '/spec/runPolicy/activeDeadlineSeconds', // allowed
  '/spec/runPolicy/cleanPodPolicy', // allowed
  '/spec/runPolicy/suspend', // defaulted by the CRD
  '/spec/runPolicy/ttlSecondsAfterFinished', // allowed
];

// What the operators have: a walk or a table that loses fields must not go by unnoticed.
const KINDS: Kind[] = [
  {
    group: 'kubeflow.org',
    resource: 'tfjobs',
    counts: { values: 804, pointers: 380, mapsWithoutOmitempty: ['/spec/tfReplicaSpecs'] },
    freePointers: FREE_IN_RUN_POLICY,
    freeValues: [],
    countedZeros: [],
  },
  {
    group: 'kubeflow.org',
    resource: 'pytorchjobs',
    counts: { values: 846, pointers: 413, mapsWithoutOmitempty: ['/spec/pytorchReplicaSpecs'] },
    freePointers: FREE_IN_RUN_POLICY,
    freeValues: [],
    countedZeros: ['/spec/elasticPolicy/metrics', '/spec/elasticPolicy/rdzvConf'],
  },
  {
    group: 'batch',
    resource: 'jobs',
    counts: { values: 808, pointers: 389, mapsWithoutOmitempty: [] },
    freePointers: ['/spec/activeDeadlineSeconds', '/spec/ttlSecondsAfterFinished'],
    freeValues: [],
    countedZeros: [],
  },
  {
    group: 'jobset.x-k8s.io',
    resource: 'jobsets',
    counts: { values: 918, pointers: 420, mapsWithoutOmitempty: [] },
    freePointers: ['/spec/ttlSecondsAfterFinished'],
    freeValues: [],
    countedZeros: ['/spec/replicatedJobs/0/groupName', '/spec/replicatedJobs/0/replicas'],
  },
  {
    group: 'trainer.kubeflow.org',
    resource: 'trainjobs',
    counts: { values: 507, pointers: 270, mapsWithoutOmitempty: [] },
    freePointers: ['/spec/runtimePatches/0/time'],
    freeValues: ['/spec/activeDeadlineSeconds'],
    countedZeros: ['/spec/trainer/args', '/spec/trainer/command'],
  },
];

const POLICY = policyWith({ resources: KINDS.map(({ group, resource }) => ({ group, resource })) });

describe.each(KINDS)('each field that the Go types of $resource have', (kind) => {
  const { group, resource, counts, freePointers, freeValues, countedZeros } = kind;
  const places = placesBelow(GO_ROOTS[`${resource}.${group}`] ?? '', []).filter((place) => !isServerOwned(place));
  const pointers = places.filter(isPointer);
  const values = places.filter((place) => !isPointer(place) && !isMapWithoutOmitempty(place));

  test('is walked', () => {
    const mapsWithoutOmitempty = places.filter(isMapWithoutOmitempty).map(({ path }) => pointer(path));
    expect({ values: values.length, pointers: pointers.length, mapsWithoutOmitempty }).toEqual(counts);
  });

  test.each([
    ['among other fields', true],
    ['alone', false],
  ])('and that is no pointer is at its zero as good as absent, %s', (_title, isHeld) => {
    const changed = values.filter((place) =>
      verdicts(kind, place, zeroOf(place.notation), isHeld).some((verdict) => !isAllowed(verdict)),
    );
    expect(changed.map(({ path }) => pointer(path))).toEqual(countedZeros);
  });

  test('and that is no pointer may be null', () => {
    const changed = values.filter((place) => verdicts(kind, place, null).some((verdict) => !isAllowed(verdict)));
    expect(changed).toEqual([]);
  });

  test('and that is no pointer counts at any other value', () => {
    const unseen = values
      .filter(({ notation }) => ['string', 'bool', 'number', 'quantity', 'intOrString'].includes(notation))
      .filter((place) => !isDeniedThere(place, verdicts(kind, place, '1')));
    expect(unseen.map(({ path }) => pointer(path))).toEqual(freeValues);
  });

  test('and that is a pointer counts at its zero: setting it and taking it out are denied', () => {
    const unseen = pointers.filter((place) => !isDeniedThere(place, verdicts(kind, place, zeroOf(place.notation))));
    expect(unseen.map(({ path }) => pointer(path))).toEqual(freePointers);
  });

  test('and that is a pointer counts at its zero alone too', () => {
    const unseen = pointers.filter((place) =>
      verdicts(kind, place, zeroOf(place.notation), false).some((verdict) => isAllowed(verdict)),
    );
    expect(unseen.map(({ path }) => pointer(path))).toEqual(freePointers);
  });

  test('and that is a pointer may be null', () => {
    const changed = pointers.filter((place) => verdicts(kind, place, null).some((verdict) => !isAllowed(verdict)));
    expect(changed).toEqual([]);
  });

  test('and that is a map without omitempty counts when it is empty', () => {
    const unseen = places
      .filter(isMapWithoutOmitempty)
      .filter((place) => verdicts(kind, place, {}).some((verdict) => isAllowed(verdict)));
    expect(unseen).toEqual([]);
  });
});

describe.each(KINDS)('a job of $resource', (kind) => {
  const root = GO_ROOTS[`${kind.resource}.${kind.group}`] ?? '';

  test('all of whose fields are at their zeros is an empty job', () => {
    const zeros = structOfZeros(root);
    expect(verdictFor(kind, {}, zeros)).toEqual(['allow']);
    expect(verdictFor(kind, zeros, {})).toEqual(['allow']);
  });
});

/** Every field of a struct at its zero, structs by their own fields; pointers and maps without omitempty as null. */
function structOfZeros(name: string): JsonMap {
  return Object.fromEntries(
    Object.entries(GO_TYPES[name] ?? {}).map(([field, notation]): [string, JsonValue] => {
      if (GO_TYPES[notation] !== undefined) return [field, structOfZeros(notation)];
      const isNil = notation.startsWith('*') || /^map\[string\][^,]*$/.test(notation);
      return [field, isNil ? null : zeroOf(notation)];
    }),
  );
}

describe('the table itself', () => {
  const structs = new Set(Object.keys(GO_TYPES));
  const scalars = new Set(['string', 'bytes', 'bool', 'number', 'quantity', 'intOrString', 'time', 'opaque']);

  test('names no type that it does not have', () => {
    const named = Object.values(GO_TYPES)
      .flatMap((fields) => Object.values(fields))
      .map((notation) => notation.replace(/^\*?(\[\]|map\[string\])?(\[\])?/, '').replace(/,omitempty$/, ''));
    expect(named.filter((name) => !structs.has(name) && !scalars.has(name))).toEqual([]);
    expect(Object.values(GO_ROOTS).filter((name) => !structs.has(name))).toEqual([]);
  });
});
