import type { IncomingMessage } from 'node:http';

import { createBudget, type Waiting } from './budget.ts';
import { createDeadlines } from './deadlines.ts';
import { parseDuration } from './duration.ts';
import { HttpError } from './http.ts';
import { createTurns } from './turns.ts';

/** A body of some kilobytes needs milliseconds; the API server itself gives up after 30 s at most, 10 s by default. */
const BODY_DEADLINE_MS = 15_000;
/** Share of the time after which the API server gives up, as it says, so that it learns why before it does. */
const SHARE_OF_CLIENT_TIMEOUT = 0.9;
/**
 * How many bodies of the largest size may be held at once, so that memory stays bounded whatever is sent. What comes beyond
 * waits unread: an API server is one client for all its users, and what is refused would pass with `failurePolicy: Ignore`.
 */
const LARGEST_BODIES_AT_ONCE = 2;
/** The same for one client, so that another one always finds room for the largest body. */
const LARGEST_BODIES_OF_A_CLIENT_AT_ONCE = 1;
/**
 * Up to here a body is taken however much is held, and out of turn: the number of connections bounds how much that is, and
 * to judge it takes about a millisecond. Most jobs are smaller.
 */
const SMALL_BODY_BYTES = 64 * 1024;

export interface BodyReaderOptions {
  readonly maxBytes: number;
  readonly deadlineMs?: number;
}

/** What becomes of a body once it is there. */
export interface Judges<T> {
  /** Takes a small one, at once. */
  readonly small: (body: Uint8Array<ArrayBuffer>) => T;
  /** Takes a large one and all that it holds, in its client's turn: one at a time. */
  readonly large: (body: Uint8Array<ArrayBuffer>) => Promise<T>;
}

/** When a request has to be answered, in milliseconds of `performance.now()`, and how long that was when it came. */
interface Patience {
  readonly at: number;
  readonly ms: number;
}

/**
 * Makes a reader of request bodies, which hands each to the judge of its size and returns what that one returns.
 *
 * No library reads bodies this way: with a limit that counts before a byte is read, and with the errors of `http.ts`. The
 * reader rejects with an HttpError, or with the connection's own error where that broke off.
 */
export function createBodyReader<T>(
  { maxBytes, deadlineMs = BODY_DEADLINE_MS }: BodyReaderOptions,
  judges: Judges<T>,
): (request: IncomingMessage) => Promise<T> {
  const clientTimeoutMs = createClientTimeouts();
  const deadlines = createDeadlines();
  const inTurn = createTurns();
  const budget = createBudget({
    bytes: LARGEST_BODIES_AT_ONCE * maxBytes,
    bytesOfClient: LARGEST_BODIES_OF_A_CLIENT_AT_ONCE * maxBytes,
  });

  const by = async <V>({ at }: Patience, { done, stop }: Waiting<V>, late: () => HttpError): Promise<V> => {
    const deadline = { at, expire: () => stop(late()) };
    deadlines.add(deadline);
    try {
      return await done;
    } finally {
      deadlines.delete(deadline);
    }
  };
  const read = (request: IncomingMessage, bytes: number, patience: Patience): Promise<Uint8Array<ArrayBuffer>> =>
    by(patience, collect(request, bytes), () => timeout(patience));
  const judgeLarge = async (request: IncomingMessage, bytes: number, patience: Patience): Promise<T> => {
    const client = request.socket.remoteAddress ?? '';
    const claim = budget.reserve(client, bytes);
    // A client that has gone must not be granted memory: it sends nothing, and holds everybody up until its deadline.
    request.once('close', () => claim.stop(overload()));
    const release = await by(patience, claim, overload);
    try {
      if (request.destroyed) throw overload();
      const body = await read(request, bytes, patience);
      return await inTurn(client, async () => {
        if (performance.now() > patience.at) throw overload();
        return judges.large(body);
      });
    } finally {
      release();
    }
  };

  return async (request) => {
    checkContent(request);
    const bytes = announcedBytes(request, maxBytes);
    const ms = Math.min(deadlineMs, clientTimeoutMs(request.url ?? '') * SHARE_OF_CLIENT_TIMEOUT);
    const patience = { at: performance.now() + ms, ms };
    if (bytes > SMALL_BODY_BYTES) return judgeLarge(request, bytes, patience);
    return judges.small(await read(request, bytes, patience));
  };
}

/**
 * Returns how many bytes a body has, as its request says; the most it may have where it does not say.
 *
 * @throws HttpError 413 where that is too many
 */
function announcedBytes({ headers }: IncomingMessage, maxBytes: number): number {
  const bytes = Number(headers['content-length'] ?? maxBytes);
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

/**
 * Reads a body of at most as many bytes, for which it allocates the memory at once; what is not written yet of that is not
 * resident.
 */
function collect(request: IncomingMessage, bytes: number): Waiting<Uint8Array<ArrayBuffer>> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const body = Buffer.allocUnsafeSlow(bytes);
  let size = 0;
  let copied: Uint8Array = Buffer.of();
  const receive = (chunk: Buffer): void => {
    // Not the chunk itself: the parser that hands it over may not be done with it.
    free(copied);
    copied = chunk;
    if (size + chunk.length > bytes) stop(tooLarge(bytes));
    else size += chunk.copy(body, size);
  };
  const finish = (): void => resolve(body.subarray(0, size));
  const stop = (error: Error): void => {
    request.off('data', receive).off('end', finish);
    free(body);
    reject(error);
  };
  request.on('data', receive).on('end', finish).on('error', stop);
  return { done: promise, stop };
}

/** Gives memory back at once, except where something beside the buffer has its place in it: the collector may come late. */
function free({ buffer, byteLength }: Uint8Array): void {
  const isOwn = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
  if (isOwn && !buffer.detached) buffer.transfer(0);
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, `the request body is larger than ${maxBytes} bytes (--max-request-bytes)`);
}

function timeout({ ms }: Patience): HttpError {
  return new HttpError(408, `the request body did not arrive within ${ms} ms`);
}

/** The API server's client asks again after that second, within its own timeout. */
function overload(): HttpError {
  return new HttpError(503, 'too many large requests at once', { 'Retry-After': '1' });
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
