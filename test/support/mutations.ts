import {
  ALLOWED_FIELDS,
  ELASTIC_POLICIES,
  ENTRIES,
  HOSTILE_KEYS,
  LISTS_TESTED_FOR_NIL,
  NO_QUANTITIES,
  NUMBERS,
  OWNERS,
  PLAIN_VALUES,
  POLICY_FIELDS,
  QUANTITIES,
  SCHEDULING_POLICIES,
  SECRETS,
  SERVER_OWNED,
  STRINGS,
  WHITE_SPACE,
} from './hostile-values.ts';
import {
  childTypeOf,
  fieldsOf,
  holdsEntries,
  isBelowRoot,
  isContainer,
  isEntry,
  isFilledList,
  isFilledMap,
  isImage,
  isMap,
  isNumber,
  isPodSpec,
  isPodTemplate,
  isQuantity,
  isReplicaSpecs,
  isString,
  isStruct,
  type Place,
  placesOf,
  withoutMarks,
} from './job-places.ts';
import { changeAt, NumberText, type Tree, valueAt, writeTree } from './json-tree.ts';

/**
 * Mutations of jobs, each a step that a writer, an attacker or a Go round trip may take. They are told what to do by
 * plain numbers, so that fast-check can make them up and shrink them.
 */

/** A job as a mutation takes it, with the Go type of the whole. */
export interface Job {
  readonly tree: Tree;
  readonly type: string | undefined;
}

/** Returns the mutated tree, or the given one where it has no place for the mutation. */
type Mutator = (job: Job, place: number, choice: number) => Tree;

/** Returns the new value of a place, undefined where it is to go. */
type Change = (value: Tree | undefined, choice: number, place: Place) => Tree | undefined;

/** What may happen to a job, by the name under which the distribution check counts it. */
export const MUTATORS = {
  'hostile key': anywhere(isMap, (value, choice) =>
    new Map(asMap(value)).set(pick(HOSTILE_KEYS, choice), pick(PLAIN_VALUES, quotient(choice, HOSTILE_KEYS))),
  ),
  'hostile keys': anywhere(isMap, (value, choice) => {
    const added = HOSTILE_KEYS.map((key): [string, Tree] => [key, pick(PLAIN_VALUES, choice)]);
    return new Map([...asMap(value), ...added]);
  }),
  'renamed key': anywhere(isFilledMap, renamedKey),
  number: anywhere(isNumber, (_value, choice) => pick(NUMBERS, choice)),
  'number respelled': anywhere(isNumber, respelledNumber),
  quantity: anywhere(isQuantity, (_value, choice) =>
    spelledQuantity(pick([...QUANTITIES.flat(), ...NO_QUANTITIES], choice), choice),
  ),
  'quantity respelled': anywhere(isQuantity, respelledQuantity),
  'quantity padded': anywhere(isQuantity, paddedQuantity),
  null: anywhere(isBelowRoot, () => null),
  'null entry': anywhere(holdsEntries, (value, choice) => withEntry(value, choice, null)),
  'entry nulled': anywhere(isEntry, () => null),
  'entry added': anywhere(holdsEntries, (value, choice) =>
    withEntry(value, choice, pick(ENTRIES, quotient(choice, ENTRY_NAMES))),
  ),
  'entry removed': anywhere(isEntry, () => undefined),
  'list tested for nil': atOneOf(LISTS_TESTED_FOR_NIL, (_value, choice) => pick<Tree | undefined>([[], null], choice)),
  empty: anywhere(isBelowRoot, (_value, choice) => pick<Tree>([[], new Map(), '', new NumberText('0'), false], choice)),
  plain: anywhere(isBelowRoot, (_value, choice) => pick(PLAIN_VALUES, choice)),
  string: anywhere(isString, (_value, choice, place) => (isImage(place) ? 'train:v3' : pick(STRINGS, choice))),
  type: anywhere(isBelowRoot, (value = null, choice) => pick<Tree>([[value], new Map([['a', value]]), 'a'], choice)),
  deletion: anywhere(isBelowRoot, () => undefined),
  'zero field': atSomeStruct((value, choice, place) => withAbsentField(value, choice, place, zeroOf)),
  'known field': atSomeStruct((value, choice, place) => withAbsentField(value, choice, place, sampleOf)),
  'list shifted': anywhere(isFilledList, (value) => asList(value).slice(1)),
  'list reversed': anywhere(isFilledList, (value) => asList(value).toReversed()),
  'list item removed': anywhere(isFilledList, (value, choice) =>
    asList(value).toSpliced(choice % asList(value).length, 1),
  ),
  'list item inserted': anywhere(isFilledList, (value, choice) => {
    const item = pick<Tree>([...asList(value), null, [], new Map(), 'new'], choice);
    return asList(value).toSpliced(choice % (asList(value).length + 1), 0, item);
  }),
  secret: anywhere(isContainer, (value = null, choice) =>
    changeAt(value, [pick(['env', 'args', 'command', 'annotations'], choice)], () => pick(SECRETS, choice >> 2)),
  ),
  scheduling: anywhere(isPodSpec, (value = null, choice) =>
    changeAt(value, [pick(['nodeSelector', 'tolerations', 'schedulingGates'], choice)], () =>
      pick<Tree>([null, new Map(), [], new Map([['a/b~c', '']]), [new Map([['key', 'a']])]], quotient(choice, '123')),
    ),
  ),
  'pod metadata': anywhere(isPodTemplate, (value = null, choice) =>
    changeAt(value, ['metadata', pick(['labels', 'annotations', 'name'], choice)], () =>
      pick<Tree>([null, new Map(), new Map([['a', '']]), ''], quotient(choice, '123')),
    ),
  ),
  'replica type': anywhere(isReplicaSpecs, (value, choice) => {
    const [[name, replica] = ['', null]] = asMap(value);
    const added = new Map(asMap(value)).set(pick(['PS', 'Chief', '__proto__'], choice), replica);
    if (choice % 2 === 1) added.delete(name);
    return added;
  }),
  'round trip': ({ tree, type }, _place, choice) => roundTrip(tree, type, pick([filled, trimmed], choice)),
  'run policy': at(['spec', 'runPolicy'], (_value, choice) =>
    pick<Tree | undefined>(
      [new Map(POLICY_FIELDS.filter((_field, bit) => (choice >> bit) % 2 === 1)), null],
      choice >> 9,
    ),
  ),
  suspension: at(['spec', 'runPolicy', 'suspend'], (_value, choice) =>
    pick<Tree | undefined>([true, false, undefined, null, 'true', []], choice),
  ),
  'elastic policy': at(['spec', 'elasticPolicy'], (_value, choice) => pick(ELASTIC_POLICIES, choice)),
  'scheduling policy': at(['spec', 'runPolicy', 'schedulingPolicy'], (_value, choice) =>
    pick(SCHEDULING_POLICIES, choice),
  ),
  'allowed field': atOneOf(ALLOWED_FIELDS, (_value, choice) => pick([undefined, ...PLAIN_VALUES], choice)),
  label: atOneOf(
    ['labels', 'annotations'].flatMap((field) => HOSTILE_KEYS.map((key) => ['metadata', field, key])),
    (_value, choice) => pick([undefined, ...STRINGS], choice),
  ),
  owner: atOneOf(
    [
      ['metadata', 'finalizers'],
      ['metadata', 'ownerReferences'],
    ],
    (_value, choice) => pick(OWNERS, choice),
  ),
  'deletion timestamp': at(['metadata', 'deletionTimestamp'], (_value, choice) =>
    pick<Tree | undefined>([null, undefined, '2024-05-01T08:00:00Z', '2024-05-02T08:00:00Z'], choice),
  ),
  'server-owned': atOneOf(
    SERVER_OWNED.map((field) => ['metadata', field]),
    (_value, choice) => pick([undefined, ...PLAIN_VALUES], choice),
  ),
} as const satisfies Readonly<Record<string, Mutator>>;

export type MutationKind = keyof typeof MUTATORS;

// Where to

/** Changes one of the places that are candidates. */
function anywhere(isCandidate: (place: Place) => boolean, change: Change): Mutator {
  return ({ tree, type }, place, choice) =>
    changeOne(tree, placesOf(tree, type).filter(isCandidate), change, place, choice);
}

/** Changes one of the structs, each kind of which is as likely, however many of it there are. */
function atSomeStruct(change: Change): Mutator {
  return ({ tree, type }, place, choice) => {
    const structs = placesOf(tree, type).filter(isStruct);
    const lastOfEach = new Map(structs.map((struct) => [withoutMarks(struct.type), struct]));
    return changeOne(tree, [...lastOfEach.values()], change, place, choice);
  };
}

function changeOne(tree: Tree, candidates: readonly Place[], change: Change, place: number, choice: number): Tree {
  if (candidates.length === 0) return tree;
  const chosen = pick(candidates, place);
  return changeAt(tree, chosen.path, (value) => change(value, choice, chosen));
}

function at(path: readonly string[], change: (value: Tree | undefined, choice: number) => Tree | undefined): Mutator {
  return ({ tree }, _place, choice) => changeAt(tree, path, (value) => change(value, choice));
}

function atOneOf(
  paths: readonly (readonly string[])[],
  change: (value: Tree | undefined, choice: number) => Tree | undefined,
): Mutator {
  return (job, place, choice) => at(pick(paths, place), change)(job, place, choice);
}

/** Returns the item at a number that may be any. */
export function pick<T>(items: readonly T[], choice: number): T {
  for (const item of items.slice(choice % items.length)) return item;
  throw new RangeError('there is nothing to pick from');
}

function quotient(choice: number, { length }: { readonly length: number }): number {
  return Math.floor(choice / length);
}

// What

function asMap(value: Tree | undefined): ReadonlyMap<string, Tree> {
  return value instanceof Map ? value : new Map<string, Tree>();
}

function asList(value: Tree | undefined): readonly Tree[] {
  return Array.isArray(value) ? value : [];
}

function renamedKey(value: Tree | undefined, choice: number): Tree {
  const entries = [...asMap(value)];
  const renamed = choice % entries.length;
  const name = pick(HOSTILE_KEYS, quotient(choice, entries));
  return new Map(entries.map(([key, child], index) => [index === renamed ? name : key, child]));
}

function respelledNumber(value: Tree | undefined, choice: number): Tree | undefined {
  if (!(value instanceof NumberText)) return value;
  const { text } = value;
  if (/e/i.test(text)) return new NumberText(text.replace('e', 'E').replace(/E(\d)/, 'E+$1'));
  if (text.includes('.')) return new NumberText(`${text}0`);
  if (/^-?0$/.test(text)) return new NumberText(pick(['0', '-0', '0.0', '0e7', '-0.00E-3'], choice));
  return new NumberText(pick([`${text}.0`, `${text}e0`, `${text}.00e+00`, `${text}0e-1`, `${text}00E-2`], choice));
}

function respelledQuantity(value: Tree | undefined, choice: number): Tree | undefined {
  const text = value instanceof NumberText ? value.text : value;
  const spellings = QUANTITIES.find((row) => row.some((spelling) => spelling === text));
  if (spellings) return spelledQuantity(pick(spellings, choice), choice);
  return typeof text === 'string' && /^\d/.test(text) ? pick([`0${text}`, `+${text}`], choice) : value;
}

/** White space makes another value of a quantity, or none. */
function paddedQuantity(value: Tree | undefined, choice: number): Tree | undefined {
  const text = value instanceof NumberText ? value.text : value;
  if (typeof text !== 'string') return value;
  const space = pick(WHITE_SPACE, choice);
  return pick([`${text}${space}`, `${space}${text}`, text.trim()], quotient(choice, WHITE_SPACE));
}

const ENTRY_NAMES = ['PS', 'Worker', 'Evaluator', 'gpu', '__proto__'];

/** Puts an entry among those of a Go map, or an item behind those of a list. */
function withEntry(value: Tree | undefined, choice: number, entry: Tree): Tree {
  if (Array.isArray(value)) return [...value, entry];
  return new Map(asMap(value)).set(pick(ENTRY_NAMES, choice), entry);
}

/** A quantity may stand as a number where JSON can write it as one. */
function spelledQuantity(text: string, choice: number): Tree {
  return /^-?(0|[1-9]\d*)(\.\d+)?(e-?\d+)?$/i.test(text) && choice % 2 === 0 ? new NumberText(text) : text;
}

function withAbsentField(
  value: Tree | undefined,
  choice: number,
  place: Place,
  make: (type: string) => Tree,
): Tree | undefined {
  const absent = [...fieldsOf(place.type)].filter(([name]) => valueAt(value, name) === undefined);
  if (absent.length === 0) return value;
  const [name, type] = pick(absent, choice);
  return new Map(asMap(value)).set(name, make(type));
}

const ZEROS: Readonly<Record<string, Tree>> = {
  bool: false,
  string: '',
  number: new NumberText('0'),
  quantity: '0',
  intOrString: new NumberText('0'),
  time: null,
};

/** The zero value of a type; behind a pointer, of what it points at. */
function zeroOf(marked: string): Tree {
  const type = withoutMarks(marked) ?? '';
  return type.startsWith('[]') ? [] : (ZEROS[type] ?? new Map());
}

const SAMPLES: Readonly<Record<string, Tree>> = {
  bool: true,
  string: 'sample',
  number: new NumberText('7'),
  quantity: '7Gi',
  intOrString: 'http',
  time: '2024-05-01T08:00:00Z',
};

/** A value of a type that is no zero: lists and maps with one entry, structs with their first field. */
function sampleOf(marked: string): Tree {
  const type = withoutMarks(marked) ?? '';
  if (type.startsWith('[]')) return [sampleOf(type.slice('[]'.length))];
  if (type.startsWith('map[string]')) return new Map([['key', sampleOf(type.slice('map[string]'.length))]]);
  const [first] = fieldsOf(type);
  return SAMPLES[type] ?? new Map(first ? [[first[0], sampleOf(first[1])]] : []);
}

/** Does what a client in Go does to a job that it reads and writes back: `finish` fills in zeros, or leaves them out. */
function roundTrip(
  tree: Tree,
  type: string | undefined,
  finish: (map: ReadonlyMap<string, Tree>, type: string | undefined) => Tree,
): Tree {
  if (Array.isArray(tree)) return tree.map((child) => roundTrip(child, childTypeOf(type, 0), finish));
  if (!(tree instanceof Map)) return tree;
  const fields = Array.from(tree, ([key, child]): [string, Tree] => [
    key,
    roundTrip(child, childTypeOf(type, key), finish),
  ]);
  return finish(new Map(fields), type);
}

/** Go writes a nil list or map as null. */
function filled(map: ReadonlyMap<string, Tree>, type: string | undefined): Tree {
  const absent = [...fieldsOf(type)].filter(([name, field]) => !map.has(name) && !field.startsWith('*'));
  const zeros = absent.map(([name, field]): [string, Tree] => [name, /^(\[|map)/.test(field) ? null : zeroOf(field)]);
  return new Map([...map, ...zeros]);
}

function trimmed(map: ReadonlyMap<string, Tree>, type: string | undefined): Tree {
  const fields = fieldsOf(type);
  return new Map([...map].filter(([name, value]) => !isZero(value, fields.get(name) ?? '*')));
}

const TESTED_FOR_NIL = new Set(['[]autoscaling/v2.MetricSpec', '[]kubeflow.org/v1.RDZVConf']);

function isZero(value: Tree, type: string): boolean {
  if (value === null) return true;
  if (type.startsWith('*') || type === 'map[string]kubeflow.org/v1.ReplicaSpec') return false;
  return writeTree(value) === writeTree(zeroOf(type)) && !TESTED_FOR_NIL.has(type);
}
