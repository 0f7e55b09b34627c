import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest, type Agent, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';

/** Where a server listens, on this machine, and whom its certificate comes from. */
export interface Endpoint {
  readonly port: number;
  readonly ca: string;
}

/** One request; what it leaves out is as the API server sends an AdmissionReview. */
export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Without one, each call has a connection of its own. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request over TLS and reads its answer to the end. */
export async function call(endpoint: Endpoint, { body = '', ...rest }: Call = {}): Promise<Answer> {
  const options = requestOptions(endpoint, rest);
  const request = httpsRequest(options);
  const answered = answerTo(request);
  request.end(body);
  return answered;
}

/** The options of a request that a test writes itself, byte by byte. */
export function requestOptions(
  { port, ca }: Endpoint,
  { method = 'POST', path = '/validate', headers, agent }: Call,
): RequestOptions {
  return {
    host: '127.0.0.1',
    port,
    ca,
    method,
    path,
    agent: agent ?? false,
    // As the API server's client does; without an agent Node's would ask for the connection to be closed.
    headers: { connection: 'keep-alive', 'content-type': 'application/json', ...headers },
  };
}

/** Waits for the answer to a request, whether or not all of the request was sent. */
export function answerTo(request: ClientRequest): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request.once('error', reject).once('response', (response) => {
    const { statusCode: status, headers } = response;
    text(response).then((body) => resolve({ status, headers, text: body }), reject);
  });
  return promise;
}
