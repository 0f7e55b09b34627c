import { describe, expect, test } from '@jest/globals';
import { GO_ROOTS, GO_TYPES } from '../../src/core/go-types.ts';
import type { JsonMap, JsonValue } from '../../src/core/json.ts';
import { pointer, type Path } from '../../src/core/path.ts';
import { verdictOn } from '../support/review.ts';

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
function verdicts(resource: string, { path }: Place, value: JsonValue, isHeld = true): [string[], string[]] {
  const without = jobWith(path, undefined, isHeld);
  const withField = jobWith(path, value, isHeld);
  return [
    verdictOn({ resource, oldObject: without, object: withField }),
    verdictOn({ resource, oldObject: withField, object: without }),
  ];
}

const isAllowed = (verdict: readonly string[]): boolean => verdict.length === 1 && verdict[0] === 'allow';

/** Tells whether both verdicts are denials that name the place and nothing else. */
function isDeniedThere({ path }: Place, [added, removed]: [string[], string[]]): boolean {
  const place = pointer(path);
  return added.join() === `deny,add ${place}` && removed.join() === `deny,remove ${place}`;
}

interface Kind {
  readonly resource: string;
  readonly counts: { values: number; pointers: number; mapsWithoutOmitempty: string[] };
}

// What training-operator 1.9.4 has: a walk or a table that loses fields must not go by unnoticed.
const KINDS: Kind[] = [
  { resource: 'tfjobs', counts: { values: 804, pointers: 380, mapsWithoutOmitempty: ['/spec/tfReplicaSpecs'] } },
  {
    resource: 'pytorchjobs',
    counts: { values: 846, pointers: 413, mapsWithoutOmitempty: ['/spec/pytorchReplicaSpecs'] },
  },
];

describe.each(KINDS)('each field that the Go types of $resource have', ({ resource, counts }) => {
  const places = placesBelow(GO_ROOTS[`${resource}.kubeflow.org`] ?? '', []).filter((place) => !isServerOwned(place));
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
      verdicts(resource, place, zeroOf(place.notation), isHeld).some((verdict) => !isAllowed(verdict)),
    );
    expect(changed.map(({ path }) => pointer(path))).toEqual(
      resource === 'pytorchjobs' ? ['/spec/elasticPolicy/metrics', '/spec/elasticPolicy/rdzvConf'] : [],
    );
  });

  test('and that is no pointer may be null', () => {
    const changed = values.filter((place) => verdicts(resource, place, null).some((verdict) => !isAllowed(verdict)));
    expect(changed).toEqual([]);
  });

  test('and that is no pointer counts at any other value', () => {
    const unseen = values
      .filter(({ notation }) => ['string', 'bool', 'number', 'quantity', 'intOrString'].includes(notation))
      .filter((place) => !isDeniedThere(place, verdicts(resource, place, '1')));
    expect(unseen).toEqual([]);
  });

  test('and that is a pointer counts at its zero: setting it and taking it out are denied', () => {
    const unseen = pointers.filter((place) => !isDeniedThere(place, verdicts(resource, place, zeroOf(place.notation))));
    expect(unseen.map(({ path }) => pointer(path))).toEqual([
      '/spec/runPolicy/activeDeadlineSeconds', // allowed
      '/spec/runPolicy/cleanPodPolicy', // allowed
      '/spec/runPolicy/suspend', // defaulted by the CRD
      '/spec/runPolicy/ttlSecondsAfterFinished', // allowed
    ]);
  });

  test('and that is a pointer counts at its zero alone too', () => {
    const unseen = pointers.filter((place) =>
      verdicts(resource, place, zeroOf(place.notation), false).some((verdict) => isAllowed(verdict)),
    );
    expect(unseen).toHaveLength(4);
  });

  test('and that is a pointer may be null', () => {
    const changed = pointers.filter((place) => verdicts(resource, place, null).some((verdict) => !isAllowed(verdict)));
    expect(changed).toEqual([]);
  });

  test('and that is a map without omitempty counts when it is empty', () => {
    const unseen = places
      .filter(isMapWithoutOmitempty)
      .filter((place) => verdicts(resource, place, {}).some((verdict) => isAllowed(verdict)));
    expect(unseen).toEqual([]);
  });
});

describe.each(KINDS)('a job of $resource', ({ resource }) => {
  const root = GO_ROOTS[`${resource}.kubeflow.org`] ?? '';

  test('all of whose fields are at their zeros is an empty job', () => {
    const zeros = structOfZeros(root);
    expect(verdictOn({ resource, oldObject: {}, object: zeros })).toEqual(['allow']);
    expect(verdictOn({ resource, oldObject: zeros, object: {} })).toEqual(['allow']);
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
