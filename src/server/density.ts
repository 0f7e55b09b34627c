/**
 * How many bytes of heap a JSON text takes at most once parsed, by what stands outside of its strings; a string takes its
 * length beside. Measured on Node 24 with empty maps, lists in lists, and maps of a key of their own each.
 */
const HEAP_BYTES = { map: 64, list: 56, key: 76, string: 24, item: 8, number: 16 };

/**
 * What 4.5 MiB of empty maps take, the most that an API server sends unescaped: a stored object of 1.5 MiB (etcd) and a
 * requested one of 3 MiB (k8s.io/apiserver pkg/server/config.go, MaxRequestBodyBytes). Maps in maps, `{"":`, weigh more a
 * byte; of those an update fits whose new object can be stored, too: 3 MiB. A larger body has grown by escaping.
 */
export const MAX_HEAP_BYTES = (((1.5 + 3) * 1024 * 1024) / '{},'.length) * (HEAP_BYTES.map + HEAP_BYTES.item);

/**
 * How many numbers may have 16 digits, or an exponent of three: parsing one that a double may not hold takes ten times as
 * long as one that it does. The kinds that people train with have none.
 */
const MAX_LONG_NUMBERS = 10_000;

/** Three times as deep as Go's own parser goes (encoding/json scanner.go, maxNestingDepth): V8's keeps a list of levels. */
const MAX_LEVELS = 30_000;

/** What a character outside of strings and numbers adds. */
interface Weight {
  readonly heapBytes: number;
  readonly levels: number;
}

const WEIGHTS: Readonly<Record<string, Weight>> = {
  '{': { heapBytes: HEAP_BYTES.map, levels: 1 },
  '[': { heapBytes: HEAP_BYTES.list, levels: 1 },
  '}': { heapBytes: 0, levels: -1 },
  ']': { heapBytes: 0, levels: -1 },
  ':': { heapBytes: HEAP_BYTES.key, levels: 0 },
  ',': { heapBytes: HEAP_BYTES.item, levels: 0 },
};
const weightOf = (code: number): Weight | undefined => WEIGHTS[String.fromCharCode(code)];
const CODES = Array.from({ length: 256 }, (_, code) => code);
const HEAP_BYTES_BY_CODE = Uint8Array.from(CODES, (code) => weightOf(code)?.heapBytes ?? 0);
const LEVELS_BY_CODE = Int8Array.from(CODES, (code) => weightOf(code)?.levels ?? 0);

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What was found in a text so far. */
interface Found {
  heapBytes: number;
  levels: number;
  longNumbers: number;
}

/** Returns how much heap a JSON text takes at most once parsed; Infinity where it has too many levels or long numbers. */
export function heapBytes(body: Uint8Array): number {
  const found: Found = { heapBytes: 0, levels: 0, longNumbers: 0 };
  for (let index = 0; index < body.length;) {
    index = weighToken(body, index, found);
    if (found.levels > MAX_LEVELS || found.longNumbers > MAX_LONG_NUMBERS) return Infinity;
  }
  return found.heapBytes;
}

/** Adds the token at `start` to what was found, and returns what follows it. */
function weighToken(body: Uint8Array, start: number, found: Found): number {
  const code = codeAt(body, start);
  if (code === QUOTE) {
    const end = endOfString(body, start);
    found.heapBytes += HEAP_BYTES.string + end - start;
    return end + 1;
  }
  if (isDigit(code)) {
    const end = endOfNumber(body, start);
    found.heapBytes += HEAP_BYTES.number;
    if (isLongNumber(body, start, end)) found.longNumbers += 1;
    return end;
  }
  found.heapBytes += HEAP_BYTES_BY_CODE[code] ?? 0;
  found.levels += levelsOf(code);
  return start + 1;
}

/** Tells by how many levels a character outside of strings leads further down. */
export function levelsOf(code: number): number {
  return LEVELS_BY_CODE[code] ?? 0;
}

/** Returns where the string that begins at `start` ends; the end of the text where it does not. */
export function endOfString(body: Uint8Array, start: number): number {
  const quote = body.indexOf(QUOTE, start + 1);
  if (quote === -1) return body.length;
  if (body[quote - 1] !== BACKSLASH) return quote;
  let index = start + 1;
  while (index < body.length && body[index] !== QUOTE) index += body[index] === BACKSLASH ? 2 : 1;
  return index;
}

/** Returns what follows the number whose first digit is at `start`. */
function endOfNumber(body: Uint8Array, start: number): number {
  let index = start + 1;
  while (IS_OF_NUMBER[codeAt(body, index)] === 1) index += 1;
  return index;
}

/** Tells whether a double may not hold a number, as `parseJson` does; `1e-10` counts for simplicity's sake. */
function isLongNumber(body: Uint8Array, start: number, end: number): boolean {
  if (end - start >= LONG_NUMBER.length) return true;
  for (let index = end - LONG_EXPONENT.length; index >= start; index -= 1) {
    if (isExponent(codeAt(body, index))) return true;
  }
  return false;
}

const [LONG_NUMBER, LONG_EXPONENT] = ['1234567890123456', 'e100'];
const IS_OF_NUMBER = Uint8Array.from(CODES, (code) => ('0123456789.eE+-'.includes(String.fromCharCode(code)) ? 1 : 0));

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isExponent(code: number): boolean {
  return code === 0x45 || code === 0x65; // E e
}

export function codeAt(body: Uint8Array, index: number): number {
  return body[index] ?? 0;
}
