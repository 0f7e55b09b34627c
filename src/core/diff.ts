import { isAbsent, sameScalar } from './equality.ts';
import { childType, type FieldType } from './field-type.ts';
import { isMap, ownValue, type JsonMap, type JsonScalar, type JsonValue } from './json.ts';
import { comparePaths, type Path, type Segment } from './path.ts';

/** One difference: the topmost node at which two objects differ, unless something permitted lies below it. */
export interface Change {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: Path;
  /** undefined where the field was absent, or held what equals absent. */
  readonly oldValue: JsonValue | undefined;
  readonly newValue: JsonValue | undefined;
}

/** A place in the objects, linked to its parent, so that equal places cost no list of segments. */
interface Place {
  readonly parent: Place | undefined;
  readonly segment: Segment;
  readonly type: FieldType;
}

/** A pair of values still to be compared; undefined where one side has none. */
interface Pair {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
  readonly place: Place;
}

/**
 * Returns every change from one object to another, ordered by path.
 * A missing or added subtree is one change; where `isMixed` says that something below it is permitted, its contents are
 * reported in its place.
 *
 * The walk keeps its own stack: an object may be nested as deeply as the API server takes it, 10 000 levels
 * (sigs.k8s.io/json internal/golang/encoding/json/scanner.go), which is deeper than the JavaScript stack.
 */
export function diff(
  oldObject: JsonMap,
  newObject: JsonMap,
  type: FieldType,
  isMixed: (path: Path) => boolean,
): Change[] {
  const changes: Change[] = [];
  const pending: Pair[] = [];
  pushEntries(pending, oldObject, newObject, type, undefined);
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const change = comparePair(pair, pending, isMixed);
    if (change !== undefined) changes.push(change);
  }
  return changes.sort((a, b) => comparePaths(a.path, b.path));
}

/** Compares one pair: pushes what has to be compared below it, or returns the change that it is. */
function comparePair(pair: Pair, pending: Pair[], isMixed: (path: Path) => boolean): Change | undefined {
  const { before, after, place } = pair;
  if (before === undefined || after === undefined) return compareOneSided(pair, pending, isMixed);
  if (isMap(before) && isMap(after)) {
    pushEntries(pending, before, after, place.type, place);
    return undefined;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    pushItems(pending, before, after, place);
    return undefined;
  }
  if (isScalar(before) && isScalar(after) && sameScalar(before, after, place.type)) return undefined;
  return changeOf(pair);
}

function compareOneSided(pair: Pair, pending: Pair[], isMixed: (path: Path) => boolean): Change | undefined {
  const present = pair.before ?? pair.after;
  if (isScalar(present) || !isMixed(pathOf(pair.place))) return changeOf(pair);

  const depth = pending.length;
  if (Array.isArray(present)) {
    pushItems(pending, toList(pair.before), toList(pair.after), pair.place);
  } else {
    pushEntries(pending, toMap(pair.before), toMap(pair.after), pair.place.type, pair.place);
  }
  // An empty container that is not the same as none has no contents to be judged by.
  return pending.length === depth ? changeOf(pair) : undefined;
}

function pushEntries(
  pending: Pair[],
  before: JsonMap,
  after: JsonMap,
  type: FieldType,
  parent: Place | undefined,
): void {
  for (const key of Object.keys(before)) {
    pushEntry(pending, before[key], ownValue(after, key), key, type, parent);
  }
  for (const key of Object.keys(after)) {
    if (!Object.hasOwn(before, key)) pushEntry(pending, undefined, after[key], key, type, parent);
  }
}

function pushEntry(
  pending: Pair[],
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  segment: string,
  parentType: FieldType,
  parent: Place | undefined,
): void {
  if (before === after && isScalar(before)) return;
  const type = childType(parentType, segment);
  const wasAbsent = isAbsent(before, type);
  const isNowAbsent = isAbsent(after, type);
  if (wasAbsent && isNowAbsent) return;
  pending.push({
    before: wasAbsent ? undefined : before,
    after: isNowAbsent ? undefined : after,
    place: { parent, segment, type },
  });
}

/** Items are matched by position; `null` and empty items count. */
function pushItems(pending: Pair[], before: readonly JsonValue[], after: readonly JsonValue[], parent: Place): void {
  const type = parent.type.items ?? childType(parent.type, 0);
  const length = Math.max(before.length, after.length);
  for (let segment = 0; segment < length; segment += 1) {
    const [left, right] = [before[segment], after[segment]];
    if (left === right && isScalar(left)) continue;
    pending.push({ before: left, after: right, place: { parent, segment, type } });
  }
}

function isScalar(value: JsonValue | undefined): value is JsonScalar | undefined {
  return !Array.isArray(value) && !isMap(value);
}

function toList(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function toMap(value: JsonValue | undefined): JsonMap {
  return isMap(value) ? value : {};
}

function changeOf({ before, after, place }: Pair): Change {
  return { op: opOf(before, after), path: pathOf(place), oldValue: before, newValue: after };
}

function opOf(before: JsonValue | undefined, after: JsonValue | undefined): Change['op'] {
  if (before === undefined) return 'add';
  return after === undefined ? 'remove' : 'replace';
}

function pathOf(place: Place): Path {
  const path: Segment[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) path.push(at.segment);
  return path.reverse();
}
