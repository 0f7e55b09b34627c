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
  const root = [JSON.parse(marked) as JsonValue] as const;
  if (numbers.length > 0) restoreNumbers(root, numbers);
  return root[0];
}

interface MarkedText {
  readonly marked: string;
  /** Those that were replaced, in the order of their placeholders. */
  readonly numbers: readonly ExactNumber[];
}

/**
 * Puts `1e200`, `2e200`, … in place of the numbers that a double may not hold; what only looks like one, in a string,
 * stays. No other number of a marked text is as large: what has an exponent of three digits is itself replaced.
 */
function markInexactNumbers(text: string): MarkedText {
  const numbers: ExactNumber[] = [];
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
      numbers.push(new ExactNumber(source));
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

/** Returns where the next quote is; the length of the text where none is left. */
function indexOfQuote(text: string, from: number): number {
  const index = text.indexOf('"', from);
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

/** Replaces the placeholders below a list by their numbers. It keeps its own stack, as `diff` does. */
function restoreNumbers(root: readonly JsonValue[], numbers: readonly ExactNumber[]): void {
  let left = numbers.length;
  const containers: (JsonValue[] | JsonMap)[] = [root as JsonValue[]];
  const visit = (value: JsonValue | undefined): ExactNumber | undefined => {
    if (Array.isArray(value) || isMap(value)) containers.push(value);
    if (typeof value !== 'number' || value < 1e200) return undefined;
    left -= 1;
    return numbers[Math.round(value / 1e200) - 1];
  };
  for (let container = containers.pop(); container !== undefined && left > 0; container = containers.pop()) {
    if (Array.isArray(container)) restoreItems(container, visit);
    else restoreEntries(container, visit);
  }
}

type Visit = (value: JsonValue | undefined) => ExactNumber | undefined;

function restoreItems(list: JsonValue[], visit: Visit): void {
  for (let index = 0; index < list.length; index += 1) {
    const exact = visit(list[index]);
    if (exact !== undefined) list[index] = exact;
  }
}

/** Asks for all values at once: to look up each key of a large map takes longer than to have parsed it. */
function restoreEntries(map: JsonMap, visit: Visit): void {
  const exact = Object.values(map).map(visit);
  if (exact.every((number) => number === undefined)) return;
  for (const [index, key] of Object.keys(map).entries()) {
    const number = exact[index];
    // The key is the map's own, so that an assignment to `__proto__` sets an entry.
    if (number !== undefined) map[key] = number;
  }
}

/** Tells whether a value is a JSON object. */
export function isMap(value: JsonValue | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** Returns the value of a map's own key; what `Object.prototype` has under that name is not the map's. */
export function ownValue(map: JsonMap, key: string): JsonValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
