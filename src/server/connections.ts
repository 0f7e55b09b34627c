import type { IncomingMessage, Server as PlainServer, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { Metrics } from '../telemetry/metrics.ts';

/** A handful of API servers with at most 200 requests in flight each (k8s.io/apiserver pkg/server/config.go). */
const MAX_CONNECTIONS = 1_000;

export interface Connections {
  /**
   * Closes the secured connections on which no request is under way, those never used included:
   * `server.closeIdleConnections` leaves the latter open, and Go's client dials ahead.
   */
  closeIdle(): void;
  /** Closes whatever is open, a handshake that never ends included. Returns how many that were. */
  closeAll(): number;
  /** Returns the answer to the request that is under way on a connection; undefined where there is none. */
  responseOn(socket: Duplex): ServerResponse | undefined;
}

export interface ConnectionOptions {
  /** Learn how many connections are open, and how many requests under way. */
  readonly metrics?: Pick<Metrics, 'connections' | 'requestsInFlight'>;
  readonly maxConnections?: number | undefined;
}

/** How far a connection has come, in the order in which it can be done without. */
const STAGES = ['handshake', 'unused', 'idle', 'busy'] as const;

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  stage: (typeof STAGES)[number];
  response: ServerResponse | undefined;
}

/**
 * Follows the connections of a server from their first packet on, and bounds them: one too many costs a connection of the
 * client that has most of them. To refuse the newest instead would let whoever came first, and stays, lock the API server out.
 */
export function trackConnections(
  server: SecureServer | PlainServer,
  {
    metrics = { connections: { value: 0 }, requestsInFlight: { value: 0 } },
    maxConnections = MAX_CONNECTIONS,
  }: ConnectionOptions,
): Connections {
  // By the client's address and port, which the TCP and the TLS socket of a connection have in common; oldest first.
  const open = new Map<string, Connection>();
  // Of either socket: to ask one for its client's address takes longer than the rest of following a request.
  const connectionOf = new WeakMap<Duplex, Connection>();
  const announce = (): void => {
    metrics.connections.value = open.size;
  };
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    const address = socket.remoteAddress ?? '';
    const connection: Connection = { socket, address, stage: 'handshake', response: undefined };
    open.set(peer, connection);
    connectionOf.set(socket, connection);
    announce();
    socket.once('close', () => {
      if (open.get(peer)?.socket === socket) open.delete(peer);
      announce();
    });
    if (open.size > maxConnections) dispensable([...open.values()])?.socket.destroy();
  });
  server.on('secureConnection', (socket: Socket) => {
    const connection = open.get(peerOf(socket));
    if (connection === undefined) return;
    connectionOf.set(socket, connection);
    connection.stage = 'unused';
  });
  followRequests(server, connectionOf, metrics);

  return {
    closeIdle: () => {
      for (const { socket, stage } of open.values()) if (stage === 'unused' || stage === 'idle') socket.destroy();
    },
    closeAll: () => {
      const closed = open.size;
      for (const { socket } of open.values()) socket.destroy();
      return closed;
    },
    responseOn: (socket) => connectionOf.get(socket)?.response,
  };
}

/** Knows of each connection whether a request is under way on it, and counts those requests. */
function followRequests(
  server: SecureServer | PlainServer,
  connectionOf: WeakMap<Duplex, Connection>,
  metrics: Pick<Metrics, 'requestsInFlight'>,
): void {
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const connection = connectionOf.get(socket);
    metrics.requestsInFlight.value += 1;
    if (connection !== undefined) [connection.stage, connection.response] = ['busy', response];
    response.once('close', () => {
      metrics.requestsInFlight.value -= 1;
      if (connection?.response === response) [connection.stage, connection.response] = ['idle', undefined];
    });
  });
}

/** Returns, of the client with most connections, the oldest of those that have come least far. */
function dispensable(connections: readonly Connection[]): Connection | undefined {
  const byAddress = [...Map.groupBy(connections, ({ address }) => address).values()];
  const most = byAddress.reduce((one, other) => (other.length > one.length ? other : one), []);
  return STAGES.map((stage) => most.find((connection) => connection.stage === stage)).find(Boolean);
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`;
}
