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

/**
 * The start of a number that a double may not tell from its neighbour: 16 digits or more, or an exponent of three
 * digits. Fifteen significant digits always survive a double (IEEE 754, DBL_DIG).
 */
const INEXACT = String.raw`-?(?:\d[\d.]{15}|\d[\d.]*[eE][+-]?\d{3})`;
const INEXACT_NUMBER = new RegExp(`^${INEXACT}`);

/** Numbers stand behind a colon, a comma, a bracket or white space. A match inside a string costs time, nothing else. */
const MAY_HOLD_INEXACT_NUMBER = new RegExp(String.raw`[:,[\s]` + INEXACT);

/**
 * Parses JSON without losing a digit: numbers that a double cannot hold come as `ExactNumber`.
 * The slower parse that this takes runs only for texts that seem to have such a number.
 *
 * @throws SyntaxError where `text` is not JSON
 * @throws RangeError where a text with such a number is nested deeper than the parser's stack
 */
export function parseJson(text: string): JsonValue {
  if (!MAY_HOLD_INEXACT_NUMBER.test(text)) return JSON.parse(text) as JsonValue;
  return JSON.parse(text, keepExact) as JsonValue;
}

function keepExact(_key: string, value: JsonValue, context?: { source?: string }): JsonValue {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && INEXACT_NUMBER.test(source)
    ? new ExactNumber(source)
    : value;
}

/** Tells whether a value is a JSON object. */
export function isMap(value: JsonValue | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

/** Returns the value of a map's own key; what `Object.prototype` has under that name is not the map's. */
export function ownValue(map: JsonMap, key: string): JsonValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
