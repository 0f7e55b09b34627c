/** A JSON number whose digits a double cannot hold, kept as the text that stood in the JSON. */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** A JSON value as `parseJson` returns it. Maps may have any own key, `__proto__` included: see `ownValue`. */
export type JsonValue = JsonScalar | JsonValue[] | JsonMap;
export type JsonScalar = null | boolean | number | string | ExactNumber;
export interface JsonMap {
  [key: string]: JsonValue;
}

/** Source: RFC 8259 section 6. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Parses JSON without losing a digit: numbers that a double cannot hold come as `ExactNumber`.
 *
 * A text with such numbers is parsed with a placeholder for each, which takes at most half as long again. A reviver that
 * is given the source of every value takes fourteen times as long, and recurses.
 *
 * @throws SyntaxError where `text` is not JSON
 */
export function parseJson(text: string): JsonValue {
  const { marked, numbers } = markInexactNumbers(text);
  const root = JSON.parse(marked) as JsonValue;
  return numbers.length === 0 ? root : restoreNumbers(root, text, numbers);
}

interface MarkedText {
  readonly marked: string;
  /** Those that were replaced, in the order of their placeholders. */
  readonly numbers: readonly FoundNumber[];
}

interface FoundNumber {
  readonly start: number;
  readonly source: string;
}

/**
 * Puts `1e200`, `2e200`, … in place of the numbers that a double may not hold; what only looks like one, in a string,
 * stays. No other number of a marked text is as large: what has an exponent of three digits is itself replaced.
 */
function markInexactNumbers(text: string): MarkedText {
  const numbers: FoundNumber[] = [];
  const next = inexactNumbers(text);
  let marked = '';
  let copied = 0;
  let stringStart = indexOfQuote(text, 0);
  let stringEnd = endOfString(text, stringStart);
  for (let index = next(0); index < text.length;) {
    while (stringEnd <= index) {
      stringStart = indexOfQuote(text, stringEnd);
      stringEnd = endOfString(text, stringStart);
    }
    if (stringStart < index) {
      index = next(stringEnd);
      continue;
    }
    const [start, end] = tokenAround(text, index);
    const source = text.slice(start, end);
    if (NUMBER.test(source)) {
      numbers.push({ start, source });
      marked += `${text.slice(copied, start)}${numbers.length}e200`;
      copied = end;
    }
    index = next(end);
  }
  return { marked: copied === 0 ? text : marked + text.slice(copied), numbers };
}

/**
 * Returns what finds the next number, from an index on, that a double may not tell from its neighbour: one of 16 digits,
 * or with an exponent of three. Fifteen significant digits always survive a double (IEEE 754, DBL_DIG). What it returns
 * lies within the number; the length of the text: there is none.
 */
function inexactNumbers(text: string): (from: number) => number {
  const exponents = new RegExp(EXPONENT_OF_THREE_DIGITS);
  let [run, exponent] = [-1, -1];
  return (from) => {
    if (run < from) run = nextLongRun(text, from);
    if (exponent < from) {
      exponents.lastIndex = from;
      exponent = exponents.exec(text)?.index ?? text.length;
    }
    return Math.min(run, exponent);
  };
}

const EXPONENT_OF_THREE_DIGITS = /[eE][+-]?\d{3}/g;
const LONG_RUN = 16;

/** Looks at every sixteenth character only: sixteen digits in a row cannot lie between two of them. */
function nextLongRun(text: string, from: number): number {
  for (let index = from + LONG_RUN - 1; index < text.length; index += LONG_RUN) {
    if (isDigit(text.charCodeAt(index)) && digitsAround(text, index) >= LONG_RUN) return index;
  }
  return text.length;
}

function digitsAround(text: string, index: number): number {
  let [start, end] = [index, index + 1];
  while (index - start < LONG_RUN && isDigit(text.charCodeAt(start - 1))) start -= 1;
  while (end - index < LONG_RUN && isDigit(text.charCodeAt(end))) end += 1;
  return end - start;
}

/** A dot counts: the digits of a number stand on both sides of it. */
function isDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e;
}

/** Returns where the number around an index begins and ends; it may be none. */
function tokenAround(text: string, index: number): [number, number] {
  let [start, end] = [index, index];
  while (isOfNumber(text.charCodeAt(start - 1))) start -= 1;
  while (isOfNumber(text.charCodeAt(end))) end += 1;
  return [start, end];
}

function isOfNumber(code: number): boolean {
  return isDigit(code) || code === 0x2d || code === 0x2b || code === 0x45 || code === 0x65; // - + E e
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** A search by `indexOf` takes as long to begin as looking at this many characters. */
const CHARACTERS_BEFORE_SEARCH = 16;

/** Returns where the next quote is; the length of the text where none is left. */
function indexOfQuote(text: string, from: number): number {
  const end = Math.min(from + CHARACTERS_BEFORE_SEARCH, text.length);
  for (let index = from; index < end; index += 1) if (text.charCodeAt(index) === QUOTE) return index;
  const index = text.indexOf('"', end);
  return index === -1 ? text.length : index;
}

/** Returns what follows the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  const quote = indexOfQuote(text, start + 1);
  if (text.charCodeAt(quote - 1) !== BACKSLASH) return quote + 1;
  let index = start + 1;
  while (index < text.length && text.charCodeAt(index) !== QUOTE) {
    index += text.charCodeAt(index) === BACKSLASH ? 2 : 1;
  }
  return index + 1;
}

/**
 * Puts the numbers in place of their placeholders in what was parsed. It finds each by its place in the text: to look at all
 * values of a large map takes longer than to have parsed it.
 */
function restoreNumbers(parsed: JsonValue, text: string, numbers: readonly FoundNumber[]): JsonValue {
  const root: [JsonValue] = [parsed];
  const cursor = createCursor(text, root);
  for (const [index, { start, source }] of numbers.entries()) {
    cursor.moveTo(start);
    cursor.replace(Number(`${index + 1}e200`), new ExactNumber(source));
  }
  return root[0];
}

/** A place in a text, and in the value that was parsed of it. */
interface Cursor {
  readonly moveTo: (index: number) => void;
  /** Replaces the value at this place, unless it is another one there: of two equal keys the last counts. */
  readonly replace: (expected: number, value: ExactNumber) => void;
}

/** A list or map that is open at a place. */
interface Level {
  readonly isList: boolean;
  /** Of the item in a list; where the entry's key begins in a map. */
  place: number;
  /** What was parsed of it, which may be of another one with the same key; undefined until it is looked up. */
  container: JsonValue | undefined;
  /** What it is in; undefined for the outermost. */
  readonly above: Level | undefined;
}

const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP, COMMA] = [0x5b, 0x5d, 0x7b, 0x7d, 0x2c];

/** Creates a cursor at the start of a JSON text, whose value is the one item of `root`. */
function createCursor(text: string, root: [JsonValue]): Cursor {
  let level: Level = { isList: true, place: 0, container: root, above: undefined };
  let isBeforeKey = false;
  let here = 0;

  const open = (isList: boolean): void => {
    isBeforeKey = !isList;
    level = { isList, place: 0, container: undefined, above: level };
  };
  const close = (): void => {
    if (level.above !== undefined) level = level.above;
  };
  const passSign = (code: number): void => {
    if (code === OPEN_MAP || code === OPEN_LIST) open(code === OPEN_LIST);
    else if (code === CLOSE_MAP || code === CLOSE_LIST) close();
    else if (code === COMMA && level.isList) level.place += 1;
    else if (code === COMMA) isBeforeKey = true;
    here += 1;
  };
  const passString = (): void => {
    if (isBeforeKey) level.place = here;
    isBeforeKey = false;
    here = endOfString(text, here);
  };
  return {
    moveTo: (index) => {
      while (here < index) {
        const code = text.charCodeAt(here);
        if (code === QUOTE) passString();
        else passSign(code);
      }
    },
    replace: (expected, value) => {
      lookUp(level, text);
      if (valueAt(level, text) === expected) setValue(level, text, value);
    },
  };
}

/** Looks up what was parsed of a level, and of those above it that were not asked for yet. */
function lookUp(level: Level, text: string): void {
  const unknown: { readonly level: Level; readonly above: Level }[] = [];
  for (let at = level; at.container === undefined && at.above !== undefined; at = at.above) {
    unknown.push({ level: at, above: at.above });
  }
  for (const { level, above } of unknown.toReversed()) level.container = valueAt(above, text) ?? null;
}

function valueAt(level: Level, text: string): JsonValue | undefined {
  const { isList, container, place } = level;
  if (isList) return Array.isArray(container) ? container[place] : undefined;
  return isMap(container) ? ownValue(container, keyAt(text, place)) : undefined;
}

function setValue({ container, place }: Level, text: string, value: ExactNumber): void {
  if (Array.isArray(container)) container[place] = value;
  // The key is the map's own, so that an assignment to `__proto__` sets an entry.
  else if (isMap(container)) container[keyAt(text, place)] = value;
}

function keyAt(text: string, start: number): string {
  return JSON.parse(text.slice(start, endOfString(text, start))) as string;
}

/** Tells whether a value is a JSON object. */
export function isMap(value: JsonValue | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** Returns the value of a map's own key; what `Object.prototype` has under that name is not the map's. */
export function ownValue(map: JsonMap, key: string): JsonValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
