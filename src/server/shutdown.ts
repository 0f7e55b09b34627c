import type { Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Connections } from './connections.ts';

export interface DrainOptions {
  readonly server: Server;
  readonly connections: Connections;
  /** How long requests are still accepted: until every API server has learnt that this replica goes. */
  readonly delayMs: number;
  /** When what is still open is closed, counted from the start as `delayMs` is. */
  readonly timeoutMs: number;
}

/**
 * Ends a server without failing a request: it serves on for the delay, then accepts no more connections, closes those
 * without a request and waits for the others. Returns how many connections had to be cut off at the timeout.
 */
export async function drain({ server, connections, delayMs, timeoutMs }: DrainOptions): Promise<number> {
  await sleep(delayMs);

  let cutOff = 0;
  const { promise: closed, resolve } = Promise.withResolvers<undefined>();
  const deadline = setTimeout(() => {
    cutOff = connections.closeAll();
  }, timeoutMs - delayMs);
  server.close(() => resolve(undefined));
  connections.closeIdle();
  await closed;
  clearTimeout(deadline);
  return cutOff;
}
