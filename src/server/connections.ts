import type { IncomingMessage, Server as PlainServer, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';

import type { Metrics } from './metrics.ts';

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
}

export interface ConnectionOptions {
  /** Tells how many are open. */
  readonly gauge?: Metrics['connections'];
  readonly maxConnections?: number | undefined;
}

/** How far a connection has come, in the order in which it can be done without. */
const STAGES = ['handshake', 'unused', 'idle', 'busy'] as const;

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  stage: (typeof STAGES)[number];
}

/**
 * Follows the connections of a server from their first packet on, and bounds them: one too many costs a connection of the
 * client that has most of them. To refuse the newest instead would let whoever came first, and stays, lock the API server out.
 */
export function trackConnections(
  server: SecureServer | PlainServer,
  { gauge, maxConnections = MAX_CONNECTIONS }: ConnectionOptions,
): Connections {
  // By the client's address and port, which the TCP and the TLS socket of a connection have in common; oldest first.
  const open = new Map<string, Connection>();
  // Of either socket: to ask one for its client's address takes longer than the rest of following a request.
  const connectionOf = new WeakMap<Socket, Connection>();
  const move = (socket: Socket, stage: Connection['stage']): void => {
    const connection = connectionOf.get(socket);
    if (connection !== undefined) connection.stage = stage;
  };
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    const connection: Connection = { socket, address: socket.remoteAddress ?? '', stage: 'handshake' };
    open.set(peer, connection);
    connectionOf.set(socket, connection);
    gauge?.set(open.size);
    socket.once('close', () => {
      if (open.get(peer)?.socket === socket) open.delete(peer);
      gauge?.set(open.size);
    });
    if (open.size > maxConnections) dispensable([...open.values()])?.socket.destroy();
  });
  server.on('secureConnection', (socket: Socket) => {
    const connection = open.get(peerOf(socket));
    if (connection !== undefined) connectionOf.set(socket, connection);
    move(socket, 'unused');
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    move(socket, 'busy');
    response.once('close', () => move(socket, 'idle'));
  });

  return {
    closeIdle: () => {
      for (const { socket, stage } of open.values()) if (stage === 'unused' || stage === 'idle') socket.destroy();
    },
    closeAll: () => {
      const count = open.size;
      for (const { socket } of open.values()) socket.destroy();
      return count;
    },
  };
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
