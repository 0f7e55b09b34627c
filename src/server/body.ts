import type { IncomingMessage } from 'node:http';

import { HttpError } from './http.ts';

/** A body of some kilobytes needs milliseconds; the API server itself gives up after 30 s at most, 10 s by default. */
const BODY_DEADLINE_MS = 15_000;
/** How many bodies of the largest size may be held at once, so that memory stays bounded whatever is sent. */
const LARGEST_BODIES_AT_ONCE = 8;

export interface BodyReaderOptions {
  readonly maxBytes: number;
  readonly deadlineMs?: number;
}

/**
 * Makes a reader of request bodies.
 *
 * express.json is not used: its limit, its decompression and its error pages are not ours, and it costs a third of the
 * throughput. The reader rejects with an HttpError, or with the connection's own error where that broke off.
 */
export function createBodyReader({
  maxBytes,
  deadlineMs = BODY_DEADLINE_MS,
}: BodyReaderOptions): (request: IncomingMessage) => Promise<Buffer> {
  let bytesHeld = 0;

  const refusal = (size: number): HttpError | undefined => {
    if (size > maxBytes) {
      return new HttpError(413, `the request body is larger than ${maxBytes} bytes (--max-request-bytes)`);
    }
    if (bytesHeld <= LARGEST_BODIES_AT_ONCE * maxBytes) return undefined;
    return new HttpError(503, 'too many large requests at once', { 'Retry-After': '1' });
  };

  return async (request) => {
    checkContent(request);
    const announced = refusal(Number(request.headers['content-length'] ?? 0));
    if (announced !== undefined) throw announced;

    const chunks: Buffer[] = [];
    let size = 0;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const deadline = setTimeout(() => {
      reject(new HttpError(408, `the request body did not arrive within ${deadlineMs} ms`));
    }, deadlineMs);
    const receive = (chunk: Buffer): void => {
      size += chunk.length;
      bytesHeld += chunk.length;
      const refused = refusal(size);
      if (refused === undefined) chunks.push(chunk);
      else reject(refused);
    };
    request.on('data', receive).once('end', resolve).once('error', reject);
    try {
      await promise;
      const body = Buffer.concat(chunks, size);
      checkDensity(body);
      return body;
    } finally {
      clearTimeout(deadline);
      request.off('data', receive);
      bytesHeld -= size;
    }
  };
}

/** Refuses what is not plain JSON text; a compressed body could unpack to any size. */
function checkContent({ headers }: IncomingMessage): void {
  if (!/^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(headers['content-type'] ?? '')) {
    throw new HttpError(415, 'the Content-Type must be application/json');
  }
  if (!/^(?:identity)?$/i.test(headers['content-encoding'] ?? '')) {
    throw new HttpError(415, 'the request body must not have a Content-Encoding');
  }
}

/**
 * What two objects that consist of nothing but `{}` come to at most: 1.5 MiB stored and 3 MiB requested, at three bytes
 * each (k8s.io/apiserver pkg/server/config.go, MaxRequestBodyBytes). Parsed, each takes some 60 bytes of heap, and the
 * heap that the image allows has room for these and not for five times as many.
 */
const MAX_CONTAINERS = 1_600_000;
const SMALLEST_SUSPECT_BYTES = 3 * MAX_CONTAINERS;
const [BRACE, BRACKET] = [0x7b /* { */, 0x5b /* [ */];

/** Refuses a body that is larger and denser than any that an API server can send; parsing it could end the process. */
function checkDensity(body: Buffer): void {
  if (body.length < SMALLEST_SUSPECT_BYTES) return;
  let containers = 0;
  for (const byte of body) if (byte === BRACE || byte === BRACKET) containers += 1;
  if (containers <= MAX_CONTAINERS) return;
  throw new HttpError(413, `the request body holds more than ${MAX_CONTAINERS} lists and maps`);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; what is not UTF-8 is refused, never mended: a replaced byte could hide a change. */
export function decodeBody(body: Buffer): string {
  try {
    return decoder.decode(body);
  } catch {
    throw new HttpError(400, 'the request body is not UTF-8');
  }
}
