import { codeAt, endOfString, levelsOf, QUOTE } from './density.ts';

const [COLON, COMMA] = [0x3a, 0x2c];
const NULL = Buffer.from('null');
const OBJECT_KEYS = [Buffer.from('"object"'), Buffer.from('"oldObject"')];
/** Inside the review, and inside its `request`. */
const LEVEL_OF_OBJECTS = 2;

/** Returns the JSON text of a review with `null` in place of its objects: enough to answer it, whatever they hold. */
export function withoutObjects(body: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let copied = 0;
  let level = 0;
  let key = body.subarray(0, 0);
  for (let index = 0; index < body.length;) {
    const code = codeAt(body, index);
    const end = endOfToken(body, index);
    if (code === QUOTE) key = body.subarray(index, end);
    level += levelsOf(code);
    index = end;
    if (code !== COLON || level !== LEVEL_OF_OBJECTS || !OBJECT_KEYS.some((name) => name.equals(key))) continue;
    parts.push(body.subarray(copied, end), NULL);
    copied = index = endOfValue(body, end);
  }
  return Buffer.concat([...parts, body.subarray(copied)]);
}

/** Returns where the value that begins at `start`, or behind white space there, is followed by something else. */
function endOfValue(body: Uint8Array, start: number): number {
  let level = 0;
  for (let index = start; index < body.length; index = endOfToken(body, index)) {
    const code = codeAt(body, index);
    level += levelsOf(code);
    if (level < 0 || (level === 0 && code === COMMA)) return index;
  }
  return body.length;
}

/** Of what is no string, each character counts as a token. */
function endOfToken(body: Uint8Array, start: number): number {
  return codeAt(body, start) === QUOTE ? endOfString(body, start) + 1 : start + 1;
}
