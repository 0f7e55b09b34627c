import type { Server } from 'node:https';
import type { Socket } from 'node:net';

import type { Metrics } from './metrics.ts';

export interface Connections {
  /**
   * Closes the secured connections on which no request is under way, those never used included:
   * `server.closeIdleConnections` leaves the latter open, and Go's client dials ahead.
   */
  closeIdle(): void;
  /** Closes whatever is open, a handshake that never ends included. Returns how many that were. */
  closeAll(): number;
}

/** Follows the connections of a server from their first packet on. */
export function trackConnections(server: Server, gauge: Metrics['connections']): Connections {
  const open = new Set<Socket>();
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    gauge.set(open.add(socket).size);
    socket.once('close', () => {
      open.delete(socket);
      gauge.set(open.size);
    });
  });
  server.on('secureConnection', (socket) => {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });

  return {
    closeIdle: () => {
      for (const socket of idle) socket.destroy();
    },
    closeAll: () => {
      const count = open.size;
      for (const socket of open) socket.destroy();
      return count;
    },
  };
}
