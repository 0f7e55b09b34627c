import { isAbsent, sameScalar } from './equality.ts';
import { childType, type FieldType } from './field-type.ts';
import { isMap, ownValue, type JsonMap, type JsonScalar, type JsonValue } from './json.ts';
import type { Path, Segment } from './path.ts';

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

/** Two values at one place; undefined where a side has none. At least one side has a value. */
interface Pair {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
  readonly place: Place;
}

/** Two containers whose contents are being compared, one after the other. */
interface Frame {
  /** Returns the next pair of contents that may differ; undefined at the end. */
  readonly next: () => Pair | undefined;
  /** The change that this is if it turns out to have no contents to be judged by. */
  readonly ifEmpty: Pair | undefined;
  isEmpty: boolean;
}

/**
 * Reports every change from one object to another, ordered by path.
 * A missing or added subtree is one change; where `isMixed` says that something below it is permitted, its contents are
 * reported in its place.
 *
 * The walk keeps its own stack: an object may be nested as deeply as the API server takes it, 10 000 levels
 * (sigs.k8s.io/json internal/golang/encoding/json/scanner.go), which is deeper than the JavaScript stack. It takes one
 * item after the other, so that a list of a million differing items needs no more memory than one of ten.
 */
export function diff(
  oldObject: JsonMap,
  newObject: JsonMap,
  type: FieldType,
  isMixed: (path: Path) => boolean,
  report: (change: Change) => void,
): void {
  const frames: Frame[] = [frameOf(mapContents(oldObject, newObject, type, undefined))];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const pair = frame.next();
    if (pair === undefined) {
      frames.pop();
      if (frame.isEmpty && frame.ifEmpty !== undefined) report(changeOf(frame.ifEmpty));
      continue;
    }
    frame.isEmpty = false;
    const below = frameBelow(pair, isMixed);
    if (below !== undefined) frames.push(below);
    else if (!isSameScalar(pair)) report(changeOf(pair));
  }
}

/** Returns the contents to be compared in place of the pair itself; undefined where the pair is judged as it is. */
function frameBelow(pair: Pair, isMixed: (path: Path) => boolean): Frame | undefined {
  const { before, after, place } = pair;
  if (before === undefined || after === undefined) {
    const present = before ?? after;
    if (isScalar(present) || !isMixed(pathOf(place))) return undefined;
    return Array.isArray(present)
      ? frameOf(listContents(toList(before), toList(after), place), pair)
      : frameOf(mapContents(toMap(before), toMap(after), place.type, place), pair);
  }
  if (isMap(before) && isMap(after)) return frameOf(mapContents(before, after, place.type, place));
  if (Array.isArray(before) && Array.isArray(after)) return frameOf(listContents(before, after, place));
  return undefined;
}

function frameOf(next: Frame['next'], ifEmpty?: Pair): Frame {
  return { next, ifEmpty, isEmpty: true };
}

function mapContents(before: JsonMap, after: JsonMap, type: FieldType, parent: Place | undefined): Frame['next'] {
  const keys = sortedKeys(before, after);
  let index = 0;
  return () => {
    for (let key = keys[index]; key !== undefined; key = keys[index]) {
      index += 1;
      const pair = entryPair(ownValue(before, key), ownValue(after, key), key, type, parent);
      if (pair !== undefined) return pair;
    }
    return undefined;
  };
}

/** Returns the keys of both maps in the order of paths, in which the API server writes nearly all of them anyway. */
function sortedKeys(before: JsonMap, after: JsonMap): readonly string[] {
  const keys = Object.keys(before);
  for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) keys.push(key);
  return keys.every((key, index) => (keys[index - 1] ?? '') <= key) ? keys : keys.sort();
}

function entryPair(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  segment: string,
  parentType: FieldType,
  parent: Place | undefined,
): Pair | undefined {
  if (before === after && isScalar(before)) return undefined;
  const type = childType(parentType, segment);
  const wasAbsent = isAbsent(before, type);
  const isNowAbsent = isAbsent(after, type);
  if (wasAbsent && isNowAbsent) return undefined;
  return {
    before: wasAbsent ? undefined : before,
    after: isNowAbsent ? undefined : after,
    place: { parent, segment, type },
  };
}

/** Items are matched by position; `null` and empty items count. */
function listContents(before: readonly JsonValue[], after: readonly JsonValue[], parent: Place): Frame['next'] {
  const type = childType(parent.type, 0);
  const length = Math.max(before.length, after.length);
  let index = 0;
  return () => {
    for (; index < length; index += 1) {
      const [left, right] = [before[index], after[index]];
      if (left === right && isScalar(left)) continue;
      const place = { parent, segment: index, type };
      index += 1;
      return { before: left, after: right, place };
    }
    return undefined;
  };
}

function isScalar(value: JsonValue | undefined): value is JsonScalar | undefined {
  return !Array.isArray(value) && !isMap(value);
}

function isSameScalar({ before, after, place }: Pair): boolean {
  if (before === undefined || after === undefined || !isScalar(before) || !isScalar(after)) return false;
  return sameScalar(before, after, place.type);
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
