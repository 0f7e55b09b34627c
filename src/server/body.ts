import type { IncomingMessage } from 'node:http';

import { parseDuration } from '../config.ts';
import { HttpError } from './http.ts';
import { createTurns } from './turns.ts';

/** A body of some kilobytes needs milliseconds; the API server itself gives up after 30 s at most, 10 s by default. */
const BODY_DEADLINE_MS = 15_000;
/** Share of the time after which the API server gives up, as it says, so that it learns why before it does. */
const SHARE_OF_CLIENT_TIMEOUT = 0.9;
/** How many bodies of the largest size may be held at once, so that memory stays bounded whatever is sent. */
const LARGEST_BODIES_AT_ONCE = 4;
/** The same for one client, so that it does not take all of it. */
const LARGEST_BODIES_OF_A_CLIENT_AT_ONCE = 2;
/** Up to here a body is taken however much is held, and the number of connections bounds it: most jobs are smaller. */
const SMALL_BODY_BYTES = 64 * 1024;

export interface BodyReaderOptions {
  readonly maxBytes: number;
  readonly deadlineMs?: number;
}

/**
 * Makes a reader of request bodies, which gives each away in its client's turn: what its caller does with it before it
 * awaits something is done by itself.
 *
 * express.json is not used: its limit, its decompression and its error pages are not ours, and it costs a third of the
 * throughput. The reader rejects with an HttpError, or with the connection's own error where that broke off.
 */
export function createBodyReader({
  maxBytes,
  deadlineMs = BODY_DEADLINE_MS,
}: BodyReaderOptions): (request: IncomingMessage) => Promise<Buffer> {
  const turnOf = createTurns();
  let bytesHeld = 0;
  const bytesHeldOf = new Map<string, number>();
  const hold = (client: string, bytes: number): void => {
    bytesHeld += bytes;
    const held = (bytesHeldOf.get(client) ?? 0) + bytes;
    if (held === 0) bytesHeldOf.delete(client);
    else bytesHeldOf.set(client, held);
  };

  const refusal = (client: string, size: number): HttpError | undefined => {
    if (size > maxBytes) {
      return new HttpError(413, `the request body is larger than ${maxBytes} bytes (--max-request-bytes)`);
    }
    const isRoom =
      bytesHeld <= LARGEST_BODIES_AT_ONCE * maxBytes &&
      (bytesHeldOf.get(client) ?? 0) <= LARGEST_BODIES_OF_A_CLIENT_AT_ONCE * maxBytes;
    if (isRoom || size <= SMALL_BODY_BYTES) return undefined;
    return overload('too many large requests at once');
  };

  return async (request) => {
    checkContent(request);
    const client = request.socket.remoteAddress ?? '';
    const announced = refusal(client, Number(request.headers['content-length'] ?? 0));
    if (announced !== undefined) throw announced;

    const begun = performance.now();
    const chunks: Buffer[] = [];
    let size = 0;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const patienceMs = Math.min(deadlineMs, clientTimeoutMs(request) * SHARE_OF_CLIENT_TIMEOUT);
    const deadline = setTimeout(() => {
      reject(new HttpError(408, `the request body did not arrive within ${patienceMs} ms`));
    }, patienceMs);
    const receive = (chunk: Buffer): void => {
      size += chunk.length;
      hold(client, chunk.length);
      const refused = refusal(client, size);
      if (refused === undefined) chunks.push(chunk);
      else reject(refused);
    };
    request.on('data', receive).once('end', resolve).once('error', reject);
    try {
      await promise;
      await turnOf(client);
      if (performance.now() - begun > patienceMs) throw overload('too many requests at once');
      const body = Buffer.concat(chunks, size);
      checkDensity(body);
      return body;
    } finally {
      clearTimeout(deadline);
      request.off('data', receive);
      hold(client, -size);
    }
  };
}

/** The API server's client asks again after that second, within its own timeout. */
function overload(message: string): HttpError {
  return new HttpError(503, message, { 'Retry-After': '1' });
}

/** Reads the `timeout=5s` that the API server puts into the query; Infinity where there is none. */
function clientTimeoutMs({ url = '' }: IncomingMessage): number {
  if (!url.includes('?')) return Infinity;
  const text = new URLSearchParams(url.split('?')[1]).get('timeout');
  return (text === null ? undefined : parseDuration(text)) ?? Infinity;
}

/** Refuses what is not plain JSON text; a compressed body could unpack to any size. */
function checkContent({ headers }: IncomingMessage): void {
  // As every API server sends it.
  if (headers['content-type'] === 'application/json' && headers['content-encoding'] === undefined) return;
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
