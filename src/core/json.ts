/**
 * A JSON number whose digits a double cannot hold, kept as the text that stood in the JSON.
 *
 * It is a map that `JSON.parse` itself makes, with an entry that nobody outside this thread can write: to put anything else
 * into what was parsed takes longer than to parse it.
 */
export interface ExactNumber {
  readonly source: string;
}

const MARK = `exact number ${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;

/** Makes the exact number that is written so in JSON. */
export function exactNumber(source: string): ExactNumber {
  return { source, [MARK]: true };
}

/** Tells whether a JSON value is an exact number. */
export function isExactNumber(value: JsonValue | undefined): value is ExactNumber {
  return typeof value === 'object' && value !== null && (value as JsonMap)[MARK] === true;
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
 * A text with such numbers takes at most half as long again. A reviver that is given the source of every value takes
 * fourteen times as long, and recurses.
 *
 * @throws SyntaxError where `text` is not JSON
 */
export function parseJson(text: string): JsonValue {
  const marked = markInexactNumbers(text);
  try {
    return JSON.parse(marked) as JsonValue;
  } catch {
    // Throws as well, and its message shows the text as it was sent.
    return JSON.parse(text) as JsonValue;
  }
}

/** Writes an exact number in place of each that a double may not hold; what only looks like one, in a string, stays. */
function markInexactNumbers(text: string): string {
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
      marked += text.slice(copied, start) + JSON.stringify(exactNumber(source));
      copied = end;
    }
    index = next(end);
  }
  return marked + text.slice(copied);
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

/** Tells whether a value is a JSON object. */
export function isMap(value: JsonValue | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/** Returns the value of a map's own key; what `Object.prototype` has under that name is not the map's. */
export function ownValue(map: JsonMap, key: string): JsonValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
