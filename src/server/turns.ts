/**
 * Makes clients take turns: whoever asks waits until it may go on, one at a time, and no client twice running while
 * another one waits.
 *
 * To judge is to keep the event loop. Between two turns it is let go, so that what has arrived meanwhile gets its turn
 * before the rest of what another client has sent.
 */
export function createTurns(): (client: string) => Promise<void> {
  /** In the order of the clients' turns. */
  const waiting = new Map<string, (() => void)[]>();
  let last: string | undefined;

  const next = (): void => {
    const client = waiting.keys().find((name) => name !== last) ?? last ?? '';
    const [goOn, ...others] = waiting.get(client) ?? [];
    waiting.delete(client);
    if (others.length > 0) waiting.set(client, others);
    last = client;
    goOn?.();
    if (waiting.size > 0) setImmediate(next);
  };
  return (client) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    if (waiting.size === 0) setImmediate(next);
    waiting.set(client, [...(waiting.get(client) ?? []), () => resolve(undefined)]);
    return promise;
  };
}
