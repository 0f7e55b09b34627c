import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** One request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'PUT' | 'PATCH';
  readonly path: string;
  /** Sent as JSON; a PATCH is a server-side apply. */
  readonly body?: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** When it was given, by the API server's clock; undefined where it does not say. */
  readonly date: Date | undefined;
}

/** Asks the API server. Rejects with an ApiError where there is no answer, or one that is neither 2xx, 404 nor 409. */
export type ApiClient = (request: ApiRequest) => Promise<ApiAnswer>;

/** The API server did not do what it was asked; the message says what and why. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
}

/** Longer than any of these requests should take, shorter than the patience of whoever waits for a certificate. */
const REQUEST_TIMEOUT_MS = 10_000;
/** What a caller has to deal with: not there, and changed meanwhile. */
const EXPECTED: ReadonlySet<number> = new Set([404, 409]);

/**
 * Creates a client that is a pod's ServiceAccount. Its token and the API server's CA are read for each request: kubelet
 * renews the one every hour, and the other may change.
 */
export function createApiClient(server: URL, serviceAccountFolder: string, timeoutMs = REQUEST_TIMEOUT_MS): ApiClient {
  return async ({ method, path, body }) => {
    const told = `${method} ${path}`;
    const [token, ca] = await Promise.all([
      readCredential(join(serviceAccountFolder, 'token')),
      readCredential(join(serviceAccountFolder, 'ca.crt')),
    ]);
    const headers = {
      Accept: 'application/json',
      Authorization: `Bearer ${token.trim()}`,
      'Content-Type': method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json',
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const signal = AbortSignal.timeout(timeoutMs);
    httpsRequest(new URL(path, server), { method, headers, ca, agent: false, signal }, resolve)
      .on('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
    const answer = await promise.then(read).catch((error: unknown) => {
      const why = signal.aborted ? `no answer within ${timeoutMs} ms` : String(error);
      throw new ApiError(`the API server at ${server.host} cannot be reached: ${told}: ${why}`, { cause: error });
    });
    if (answer.status < 300 || EXPECTED.has(answer.status)) return answer;
    throw new ApiError(`the API server rejected ${told}: ${answer.status} ${messageOf(answer.body)}`);
  };
}

async function readCredential(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ApiError(`cannot read the ServiceAccount's credentials: ${String(error)}`, { cause: error });
  }
}

async function read(incoming: IncomingMessage): Promise<ApiAnswer> {
  const { statusCode: status = 0, headers } = incoming;
  const received = await text(incoming);
  const date = new Date(headers.date ?? NaN);
  return { status, body: parsed(received), date: Number.isNaN(date.getTime()) ? undefined : date };
}

/** A proxy in between may answer with anything. */
function parsed(received: string): unknown {
  try {
    return JSON.parse(received);
  } catch {
    return { message: received.slice(0, 200) };
  }
}

/** Returns the message of a `v1` Status. */
function messageOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
}
