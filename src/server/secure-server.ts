import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';

import { secureContext, type Credentials } from '../tls/secure-context.ts';
import { trackConnections, type Connections } from './connections.ts';
import { statusBody } from './http.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/**
 * Above the 90 s after which the API server's client closes an idle connection (Go's net/http DefaultTransport), so that
 * the client always closes first: a POST that meets a connection being closed is not sent again, and fails.
 */
const KEEP_ALIVE_TIMEOUT_MS = 120_000;
/** Above the same 90 s: it closes connections that were dialled ahead and never used. */
const HEADERS_TIMEOUT_MS = 95_000;
/** Not below HEADERS_TIMEOUT_MS, which Node refuses; the body has a shorter deadline of its own. */
const REQUEST_TIMEOUT_MS = 120_000;
/** How late the two above may expire. */
const CONNECTIONS_CHECKING_INTERVAL_MS = 5_000;
/** What the API server's client allows for a handshake: k8s.io/apimachinery pkg/util/net/http.go. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Above all of the above: only a client that never reads its answers is silent for so long. */
const INACTIVITY_TIMEOUT_MS = 130_000;

export interface SecureServerOptions {
  readonly credentials: Credentials;
  readonly handler: RequestListener;
  /** undefined: as many as connections.ts thinks fit. */
  readonly maxConnections: number | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface SecureServer {
  readonly secure: Server;
  readonly connections: Connections;
}

/** Creates the HTTPS server of the secure port, HTTP/1.1 only, not listening yet. */
export function createSecureServer(options: SecureServerOptions): SecureServer {
  const { credentials, handler, maxConnections, metrics, log } = options;
  const secure = createServer(
    {
      ...secureContext(credentials),
      // Who is not proved is told so over HTTP: client-certificate.ts.
      requestCert: credentials.clientCa !== undefined,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECKING_INTERVAL_MS,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    handler,
  );
  secure.timeout = INACTIVITY_TIMEOUT_MS;
  const connections = trackConnections(secure, { maxConnections, metrics });
  secure.on('tlsClientError', (error) => log.debug({ error: codeOf(error) }, 'TLS handshake failed'));
  secure.on('clientError', (error, socket) => {
    log.debug({ error: codeOf(error) }, 'connection broke off');
    const isAnswered = connections.responseOn(socket)?.headersSent === true;
    if (!socket.writable || WITHOUT_ANSWER.has(codeOf(error))) socket.destroy();
    else if (isAnswered) socket.end(() => socket.destroy());
    else refuse(socket, metrics);
  });
  return { secure, connections };
}

/** The client has gone, or was silent too long: it asked nothing, and would take an answer for that to its next question. */
const WITHOUT_ANSWER: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'HPE_INVALID_EOF_STATE',
  'ERR_HTTP_REQUEST_TIMEOUT',
]);

/** Answers what is not HTTP, and closes the connection. */
function refuse(socket: Duplex, metrics: Metrics): void {
  const body = statusBody({ code: 400, message: 'the request is not HTTP/1.1' });
  metrics.recordAnswer(400);
  socket.end(
    [
      'HTTP/1.1 400 Bad Request',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
