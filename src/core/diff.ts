import { isAbsent, sameScalar } from './equality.ts';
import { childType, type FieldType } from './field-type.ts';
import {
  type ExactNumber,
  isExactNumber,
  isMap,
  type JsonMap,
  type JsonScalar,
  type JsonValue,
  ownValue,
} from './json.ts';
import type { Path, Segment } from './path.ts';

/** One difference: the topmost node at which two objects differ, unless something permitted lies below it. */
export interface Change extends Difference {
  readonly path: Path;
}

/** How the two sides differ at one place. */
export interface Difference {
  /** What equals absent counts as absent: `suspend: true` is removed by `suspend: false`. */
  readonly op: 'add' | 'remove' | 'replace';
  /** undefined where the field was absent, or held what equals absent and is no number or boolean. */
  readonly oldValue: JsonValue | undefined;
  readonly newValue: JsonValue | undefined;
}

/**
 * Tells whether something below a path that comes or goes as a whole may come or go by itself. `since` is how many of
 * the path's segments lead to the topmost node that comes or goes. The path changes as the walk goes on.
 */
export type IsMixed = (path: Path, since: number) => boolean;

/**
 * Takes a difference and where it is; `since` is as for `IsMixed`, and Infinity where the node was there and still is.
 * The path changes as the walk goes on: copy it to keep it.
 */
export type Report = (difference: Difference, path: Path, since: number) => void;

/** Two values at one place; undefined where a side has none. At least one side has a value. */
interface Pair {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
  /** What was written, where it may be shown: a number or boolean also where it equals absent. */
  readonly oldValue: JsonValue | undefined;
  readonly newValue: JsonValue | undefined;
  readonly segment: Segment;
  readonly type: FieldType;
}

/** Who asks for a comparison: what it is told, and what it is asked, as the walk goes on. */
export interface Visitor {
  readonly isMixed: IsMixed;
  readonly report: Report;
}

/** Two containers whose contents are being compared, one after the other. */
interface Frame {
  readonly contents: MapContents | ListContents;
  /** How many segments lead to the topmost node that comes or goes with these containers; Infinity where none does. */
  readonly since: number;
  /** The change that this is if it turns out to have no contents to be judged by. */
  readonly ifEmpty: Pair | undefined;
  isEmpty: boolean;
}

interface MapContents {
  readonly kind: 'map';
  readonly before: JsonMap;
  readonly after: JsonMap;
  readonly type: FieldType;
  /** Those whose values may differ, in the order of paths. */
  readonly keys: readonly string[];
  index: number;
}

interface ListContents {
  readonly kind: 'list';
  readonly before: readonly JsonValue[];
  readonly after: readonly JsonValue[];
  readonly itemType: FieldType;
  readonly length: number;
  index: number;
}

/**
 * Reports every change from one object to another, ordered by path.
 * A missing or added subtree is one change; where `isMixed` says that something below it is permitted, its contents are
 * reported in its place.
 *
 * The walk keeps its own stack: an object may be nested as deeply as the API server takes it, 10 000 levels
 * (sigs.k8s.io/json internal/golang/encoding/json/scanner.go), which is deeper than the JavaScript stack. It takes one
 * item after the other, and has one path that grows and shrinks: a million differing items at the deepest level take no
 * more memory, and no more time each, than ten at the top.
 */
export function diff(oldObject: JsonMap, newObject: JsonMap, type: FieldType, { isMixed, report }: Visitor): void {
  const path: Segment[] = [];
  const frames: Frame[] = [frameOf(mapContents(oldObject, newObject, type), Infinity)];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const pair = frame.contents.kind === 'map' ? nextEntries(frame.contents) : nextItems(frame.contents);
    if (pair === undefined) {
      frames.pop();
      if (frame.isEmpty && frame.ifEmpty !== undefined) report(differenceOf(frame.ifEmpty), path, frame.since);
      path.pop();
      continue;
    }
    frame.isEmpty = false;
    path.push(pair.segment);
    const above = frameAbove(pair, frame, path, isMixed);
    if (above !== undefined) {
      frames.push(above);
      continue;
    }
    if (!isSameScalar(pair)) report(differenceOf(pair), path, sinceOf(pair, frame, path));
    path.pop();
  }
}

/** Returns the contents to be compared in place of the pair itself; undefined where the pair is judged as it is. */
function frameAbove(pair: Pair, frame: Frame, path: Path, isMixed: IsMixed): Frame | undefined {
  const since = sinceOf(pair, frame, path);
  if (pair.before !== undefined && pair.after !== undefined) return frameOfBoth(pair, since);
  const comesOrGoesWhole = isScalar(pair.before ?? pair.after) || holdsEntries(frame) || !isMixed(path, since);
  return comesOrGoesWhole ? undefined : frameOfOne(pair, since);
}

/** Returns the contents of two containers of one kind. */
function frameOfBoth({ before, after, type }: Pair, since: number): Frame | undefined {
  if (Array.isArray(before) && Array.isArray(after)) return frameOf(listContents(before, after, type), since);
  return isMap(before) && isMap(after) ? frameOf(mapContents(before, after, type), since) : undefined;
}

/** Returns the contents of a container that only one side has. */
function frameOfOne(pair: Pair, since: number): Frame {
  const { before, after, type } = pair;
  return Array.isArray(before ?? after)
    ? frameOf(listContents(toList(before), toList(after), type), since, pair)
    : frameOf(mapContents(toMap(before), toMap(after), type), since, pair);
}

/** Tells whether what stands in a frame's containers are entries, which come and go as a whole, and not fields. */
function holdsEntries({ contents }: Frame): boolean {
  return contents.kind === 'list' || contents.type.kind === 'map';
}

/** Returns how many segments lead to the topmost node that comes or goes with a pair; Infinity where none does. */
function sinceOf({ before, after }: Pair, frame: Frame, path: Path): number {
  if (frame.since !== Infinity) return frame.since;
  return before === undefined || after === undefined ? path.length : Infinity;
}

function frameOf(contents: Frame['contents'], since: number, ifEmpty?: Pair): Frame {
  return { contents, since, ifEmpty, isEmpty: true };
}

function mapContents(before: JsonMap, after: JsonMap, type: FieldType): MapContents {
  const keys: string[] = [];
  for (const key of Object.keys(before)) if (!isPlainlySame(before[key], ownValue(after, key))) keys.push(key);
  for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) keys.push(key);
  return { kind: 'map', before, after, type, keys: keys.length > 1 ? keys.sort() : keys, index: 0 };
}

/**
 * How far down two values are looked at before a frame is made of them: as deep as a job's own fields lie. Below it the
 * frames take over, so that nothing is looked at more often than this, however deeply it is nested.
 */
const LOOKAHEAD_LEVELS = 12;

/** Tells of two values that are the same, as nearly all are, that they are; false also where that is not seen at once. */
function isPlainlySame(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  levels = LOOKAHEAD_LEVELS,
): boolean {
  if (typeof before !== 'object' || before === null) return before === after;
  if (typeof after !== 'object' || after === null || levels === 0) return false;
  return arePlainlySameContainers(before, after, levels - 1);
}

function arePlainlySameContainers(
  before: Exclude<JsonValue, JsonScalar> | ExactNumber,
  after: Exclude<JsonValue, JsonScalar> | ExactNumber,
  levels: number,
): boolean {
  if (Array.isArray(before)) return Array.isArray(after) && arePlainlySame(before, after, levels);
  // An exact number is a map as well, and the same as one in which the same is written.
  return !Array.isArray(after) && arePlainlySameMaps(before as JsonMap, after as JsonMap, levels);
}

function arePlainlySame(before: readonly JsonValue[], after: readonly JsonValue[], levels: number): boolean {
  if (before.length !== after.length) return false;
  for (let index = 0; index < before.length; index += 1) {
    if (!isPlainlySame(before[index], after[index], levels)) return false;
  }
  return true;
}

function arePlainlySameMaps(before: JsonMap, after: JsonMap, levels: number): boolean {
  let count = 0;
  // Unlike Object.keys `for … in` makes no list, and V8 then reads `before[key]` without a look-up.
  for (const key in before) {
    const value = before[key];
    if (!isPlainlySame(value, after[key], levels)) return false;
    // What a map has from Object.prototype is no scalar.
    if (typeof value === 'object' && value !== null && !Object.hasOwn(after, key)) return false;
    count += 1;
  }
  return count === countOfKeys(after);
}

function countOfKeys(map: JsonMap): number {
  let count = 0;
  for (const key in map) if (Object.hasOwn(map, key)) count += 1;
  return count;
}

/** Returns the next entries that may differ; undefined at the end. */
function nextEntries(contents: MapContents): Pair | undefined {
  const { keys, before, after, type } = contents;
  for (let key = keys[contents.index]; key !== undefined; key = keys[contents.index]) {
    contents.index += 1;
    const pair = entryPair(ownValue(before, key), ownValue(after, key), key, childType(type, key));
    if (pair !== undefined) return pair;
  }
  return undefined;
}

function entryPair(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  segment: string,
  type: FieldType,
): Pair | undefined {
  const wasAbsent = isAbsent(before, type);
  const isNowAbsent = isAbsent(after, type);
  if (wasAbsent && isNowAbsent) return undefined;
  return {
    before: wasAbsent ? undefined : before,
    after: isNowAbsent ? undefined : after,
    oldValue: wasAbsent ? writtenZero(before) : before,
    newValue: isNowAbsent ? writtenZero(after) : after,
    segment,
    type,
  };
}

/** Returns a zero that equals absent, and yet says more to a reader than that nothing is there. */
function writtenZero(value: JsonValue | undefined): JsonValue | undefined {
  return typeof value === 'boolean' || typeof value === 'number' || isExactNumber(value) ? value : undefined;
}

/** Items are matched by position; `null` and empty items count. */
function listContents(before: readonly JsonValue[], after: readonly JsonValue[], type: FieldType): ListContents {
  const length = Math.max(before.length, after.length);
  return { kind: 'list', before, after, itemType: childType(type, 0), length, index: 0 };
}

/** Returns the next items that may differ; undefined at the end. */
function nextItems(contents: ListContents): Pair | undefined {
  const { before, after, length, itemType } = contents;
  while (contents.index < length) {
    const segment = contents.index;
    contents.index += 1;
    const [left, right] = [before[segment], after[segment]];
    if (!isPlainlySame(left, right)) {
      return { before: left, after: right, oldValue: left, newValue: right, segment, type: itemType };
    }
  }
  return undefined;
}

function isScalar(value: JsonValue | undefined): value is JsonScalar | undefined {
  return !Array.isArray(value) && !isMap(value);
}

function isSameScalar({ before, after, type }: Pair): boolean {
  if (before === undefined || after === undefined || !isScalar(before) || !isScalar(after)) return false;
  return sameScalar(before, after, type);
}

function toList(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function toMap(value: JsonValue | undefined): JsonMap {
  return isMap(value) ? value : {};
}

function differenceOf({ before, after, oldValue, newValue }: Pair): Difference {
  return { op: opOf(before, after), oldValue, newValue };
}

function opOf(before: JsonValue | undefined, after: JsonValue | undefined): Change['op'] {
  if (before === undefined) return 'add';
  return after === undefined ? 'remove' : 'replace';
}
