/**
 * How many bytes of heap a JSON text takes at most once parsed, by what stands outside of its strings. Measured on Node
 * 24 with maps of a shape each, keys that occur once, lists in lists, and fractions.
 */
const HEAP_BYTES = { map: 64, list: 56, key: 96, string: 24, item: 24 };

/**
 * Most that an API server can send: a stored object of 1.5 MiB (etcd) and a requested one of 3 MiB (k8s.io/apiserver
 * pkg/server/config.go, MaxRequestBodyBytes), both nothing but maps in maps, whose five bytes `{"":}` weigh most. A
 * larger body has grown by the escaping of `<`, `>` and `&`, which weigh nothing.
 */
const MAX_HEAP_BYTES = (((1.5 + 3) * 1024 * 1024) / 5) * (HEAP_BYTES.map + HEAP_BYTES.key + HEAP_BYTES.string);

const HEAP_BYTES_BY_CHARACTER: Readonly<Record<string, number>> = {
  '{': HEAP_BYTES.map,
  '[': HEAP_BYTES.list,
  ':': HEAP_BYTES.key,
  '"': HEAP_BYTES.string,
  ',': HEAP_BYTES.item,
};
const HEAP_BYTES_BY_CODE = Uint8Array.from(
  { length: 256 },
  (_, code) => HEAP_BYTES_BY_CHARACTER[String.fromCharCode(code)] ?? 0,
);

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** Tells whether a JSON text is denser than any that an API server can send: parsing it could exhaust the heap. */
export function isTooDense(body: Buffer): boolean {
  let heapBytes = 0;
  for (let index = 0; index < body.length; index += 1) {
    const code = body[index] ?? 0;
    heapBytes += HEAP_BYTES_BY_CODE[code] ?? 0;
    if (code === QUOTE) index = endOfString(body, index);
  }
  return heapBytes > MAX_HEAP_BYTES;
}

/** Returns where the string that begins at `start` ends; the end of the text where it does not. */
function endOfString(body: Buffer, start: number): number {
  const quote = body.indexOf(QUOTE, start + 1);
  if (quote === -1) return body.length;
  if (body[quote - 1] !== BACKSLASH) return quote;
  let index = start + 1;
  while (index < body.length && body[index] !== QUOTE) index += body[index] === BACKSLASH ? 2 : 1;
  return index;
}
