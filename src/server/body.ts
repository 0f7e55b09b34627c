import type { IncomingMessage } from 'node:http';

import { createDeadlines } from './deadlines.ts';
import { isTooDense } from './density.ts';
import { parseDuration } from './duration.ts';
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
/**
 * Up to here a body is taken however much is held, and out of turn: the number of connections bounds how much that is, and
 * to judge it takes about a millisecond. Most jobs are smaller.
 */
const SMALL_BODY_BYTES = 64 * 1024;

export interface BodyReaderOptions {
  readonly maxBytes: number;
  readonly deadlineMs?: number;
}

/**
 * Makes a reader of request bodies, which gives the large ones away in their client's turn: what its caller does with one
 * before it awaits something is done by itself.
 *
 * No library reads bodies this way: with a limit that counts before a byte is read, and with the errors of `http.ts`. The
 * reader rejects with an HttpError, or with the connection's own error where that broke off.
 */
export function createBodyReader({
  maxBytes,
  deadlineMs = BODY_DEADLINE_MS,
}: BodyReaderOptions): (request: IncomingMessage) => Promise<Buffer> {
  const turnOf = createTurns();
  const clientTimeoutMs = createClientTimeouts();
  const deadlines = createDeadlines();
  let bytesHeld = 0;
  const clients = new Map<string, Held>();

  const refusal = (ofClient: Held, size: number): HttpError | undefined => {
    if (size > maxBytes) {
      return new HttpError(413, `the request body is larger than ${maxBytes} bytes (--max-request-bytes)`);
    }
    if (size <= SMALL_BODY_BYTES) return undefined;
    const isRoom =
      bytesHeld <= LARGEST_BODIES_AT_ONCE * maxBytes && ofClient.bytes <= LARGEST_BODIES_OF_A_CLIENT_AT_ONCE * maxBytes;
    return isRoom ? undefined : overload('too many large requests at once');
  };

  return (request) => {
    checkContent(request);
    const client = request.socket.remoteAddress ?? '';
    const ofClient = clients.get(client) ?? { bodies: 0, bytes: 0 };
    const announced = refusal(ofClient, Number(request.headers['content-length'] ?? 0));
    if (announced !== undefined) throw announced;

    clients.set(client, ofClient);
    ofClient.bodies += 1;
    const hold = (bytes: number): void => {
      bytesHeld += bytes;
      ofClient.bytes += bytes;
    };
    const chunks: Buffer[] = [];
    let size = 0;
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let isOpen = true;
    const receive = (chunk: Buffer): void => {
      if (!isOpen) return;
      size += chunk.length;
      hold(chunk.length);
      const refused = refusal(ofClient, size);
      if (refused === undefined) chunks.push(chunk);
      else close(() => reject(refused));
    };
    const close = (settle: () => void): void => {
      if (!isOpen) return;
      isOpen = false;
      deadlines.delete(deadline);
      hold(-size);
      ofClient.bodies -= 1;
      if (ofClient.bodies === 0) clients.delete(client);
      settle();
    };
    const giveAway = (): void => {
      const body = Buffer.concat(chunks, size);
      const isLate = performance.now() > deadline.at;
      const refused = isLate ? overload('too many requests at once') : densityRefusal(body);
      if (refused === undefined) resolve(body);
      else reject(refused);
    };
    const finish = (): void => {
      deadlines.delete(deadline);
      if (size <= SMALL_BODY_BYTES) close(giveAway);
      else void turnOf(client).then(() => close(giveAway));
    };
    const patienceMs = Math.min(deadlineMs, clientTimeoutMs(request.url ?? '') * SHARE_OF_CLIENT_TIMEOUT);
    const deadline = {
      at: performance.now() + patienceMs,
      strike: () => {
        close(() => reject(new HttpError(408, `the request body did not arrive within ${patienceMs} ms`)));
      },
    };
    deadlines.add(deadline);
    request
      .on('data', receive)
      .on('end', finish)
      .on('error', (error) => close(() => reject(error)));
    return promise;
  };
}

/** What is held of a client's bodies that are being read. */
interface Held {
  bodies: number;
  bytes: number;
}

/** The API server's client asks again after that second, within its own timeout. */
function overload(message: string): HttpError {
  return new HttpError(503, message, { 'Retry-After': '1' });
}

/** Reads the `timeout=5s` that the API server puts into the query; Infinity where there is none. */
function readClientTimeoutMs(url: string): number {
  const text = new URLSearchParams(url.split('?')[1]).get('timeout');
  return (text === null ? undefined : parseDuration(text)) ?? Infinity;
}

/** Returns what reads a URL's timeout and remembers the last one: an API server asks for the same URL each time. */
function createClientTimeouts(): (url: string) => number {
  let lastUrl = '';
  let timeoutMs = Infinity;
  return (url) => {
    if (url !== lastUrl) [lastUrl, timeoutMs] = [url, readClientTimeoutMs(url)];
    return timeoutMs;
  };
}

/** Refuses what is not plain JSON text; a compressed body could unpack to any size. */
function checkContent({ headers }: IncomingMessage): void {
  if (headers['content-type'] === 'application/json' && headers['content-encoding'] === undefined) return;
  if (!/^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(headers['content-type'] ?? '')) {
    throw new HttpError(415, 'the Content-Type must be application/json');
  }
  if (!/^(?:identity)?$/i.test(headers['content-encoding'] ?? '')) {
    throw new HttpError(415, 'the request body must not have a Content-Encoding');
  }
}

/** Below it no body can be too dense: to look at it would take longer than it is worth. */
const SMALLEST_SUSPECT_BYTES = 1024 * 1024;

function densityRefusal(body: Buffer): HttpError | undefined {
  if (body.length < SMALLEST_SUSPECT_BYTES || !isTooDense(body)) return undefined;
  return new HttpError(413, 'the request body has more lists, maps and values than an API server can send');
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
