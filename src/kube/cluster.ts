import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text as textOf } from 'node:stream/consumers';

import { isMap, parseJson, type JsonMap } from '../core/json.ts';
import type { Access, Credentials, KubeconfigChoice } from './kubeconfig.ts';

/** A cluster cannot be asked, or does not do what was asked; the message is one line for whoever asked. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}

/** A request to an API server. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query: `/apis/kubeflow.org/v1/namespaces/team/tfjobs/mnist?dryRun=All`. */
  readonly path: string;
  readonly contentType?: string;
  /** JSON. */
  readonly body?: string;
}

/** What an API server answers. */
export interface ApiAnswer {
  readonly status: number;
  /** undefined where it is no JSON object. */
  readonly body: JsonMap | undefined;
  readonly warnings: readonly string[];
}

/** The API server of a kubeconfig's context. */
export interface Cluster {
  /** The context's; `default` where it names none. */
  readonly namespace: string;
  /** Rejects with a ClusterError where there is no answer, or nobody is known by these credentials. */
  readonly request: (call: ApiCall) => Promise<ApiAnswer>;
}

/** Whom requests are sent as, as with `kubectl --as`. */
export interface Impersonation {
  readonly as?: string;
  readonly asGroup?: readonly string[];
}

/**
 * Reads a kubeconfig and returns the API server of its context, which is asked nothing yet.
 *
 * @throws ClusterError where the kubeconfig is wrong
 */
export async function connect(choice: KubeconfigChoice, impersonation: Impersonation = {}): Promise<Cluster> {
  const { readAccess } = await import('./kubeconfig.ts');
  const access = accessOf(choice, readAccess);
  const headers = impersonationHeaders(impersonation);
  let credentials: Promise<Credentials> | undefined;
  const send = async (call: ApiCall): Promise<ApiAnswer> => {
    credentials ??= credentialsOf(access);
    return answerTo(access, await credentials, call, headers);
  };
  const request: Cluster['request'] = async (call) => {
    const answer = await send(call);
    if (answer.status !== UNAUTHORIZED) return answer;
    credentials = undefined; // a token may have expired since
    const again = await send(call);
    if (again.status !== UNAUTHORIZED) return again;
    throw new ClusterError(
      `${access.server} does not accept the credentials of the user "${access.user}" in the kubeconfig; they may have expired`,
    );
  };
  return { namespace: access.namespace ?? 'default', request };
}

const UNAUTHORIZED = 401;

function accessOf(choice: KubeconfigChoice, readAccess: (choice: KubeconfigChoice) => Access): Access {
  try {
    return readAccess(choice);
  } catch (error) {
    throw new ClusterError(`${choice.file ?? 'the kubeconfig'}: ${problemOf(error)}`);
  }
}

async function credentialsOf({ user, credentials }: Access): Promise<Credentials> {
  try {
    return await credentials();
  } catch (error) {
    throw new ClusterError(`no credentials for the user "${user}" of the kubeconfig: ${problemOf(error)}`);
  }
}

/** Source: k8s.io/client-go transport/round_trippers.go, NewImpersonatingRoundTripper. */
function impersonationHeaders({ as, asGroup }: Impersonation): OutgoingHttpHeaders {
  return {
    ...(as === undefined ? {} : { 'Impersonate-User': as }),
    ...(asGroup === undefined ? {} : { 'Impersonate-Group': [...asGroup] }),
  };
}

/** An API server gives a request a minute; kubectl waits for as long as it takes. */
const TIMEOUT_MS = 60_000;

async function answerTo(
  { server }: Access,
  credentials: Credentials,
  { method, path, contentType = 'application/json', body }: ApiCall,
  impersonation: OutgoingHttpHeaders,
): Promise<ApiAnswer> {
  const url = new URL(server.replace(/\/$/, '') + path);
  const headers = {
    ...credentials.headers,
    ...impersonation,
    Accept: 'application/json',
    ...(body === undefined ? {} : { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === 'http:' ? httpRequest : httpsRequest;
  const all = { ...credentials, headers, method, timeout: TIMEOUT_MS };
  const outgoing = request(url, all, resolve).on('error', reject);
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within a minute')));
  outgoing.end(body);
  try {
    const incoming = await promise;
    return readAnswer(incoming, await textOf(incoming));
  } catch (error) {
    throw new ClusterError(`cannot reach ${url.origin}: ${problemOf(error)}`);
  }
}

function readAnswer({ statusCode = 0, headers }: IncomingMessage, text: string): ApiAnswer {
  return { status: statusCode, body: objectIn(text), warnings: warningsIn(headers.warning ?? '') };
}

function objectIn(text: string): JsonMap | undefined {
  try {
    const value = parseJson(text);
    return isMap(value) ? value : undefined;
  } catch {
    return undefined; // such as `404 page not found`
  }
}

/** Source: RFC 7234 section 5.5; k8s.io/apimachinery pkg/util/net/http.go, NewWarningHeader. */
const WARNING = /299 \S+ "((?:[^"\\]|\\.)*)"/g;

function warningsIn(header: string): string[] {
  return [...header.matchAll(WARNING)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
}

/** What went wrong, in one line. */
function problemOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const [first = ''] = String(error instanceof Error ? error.message : error).split('\n');
  return PROBLEMS.get(code) ?? first;
}

const PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EACCES', 'may not be read: permission denied'],
  ['EISDIR', 'is a folder; a file is expected here'],
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the connection was closed'],
  ['ENOTFOUND', 'there is no host of this name'],
  ['ETIMEDOUT', 'no answer'],
]);
