/** Runs a client's task in its turn, and hands on what it returns or throws. */
export type Turns = <T>(client: string, task: () => Promise<T>) => Promise<T>;

/**
 * Makes clients take turns: one task at a time, and no client twice running while another one waits. Between two tasks
 * the event loop is let go, so that what has arrived meanwhile gets its turn before the rest of another client's.
 */
export function createTurns(): Turns {
  /** In the order of the clients' turns. */
  const waiting = new Map<string, (() => Promise<void>)[]>();
  let last: string | undefined;
  let isRunning = false;

  const next = (): void => {
    const client = waiting.keys().find((name) => name !== last) ?? last ?? '';
    const [run, ...others] = waiting.get(client) ?? [];
    waiting.delete(client);
    if (others.length > 0) waiting.set(client, others);
    last = client;
    void run?.().then(() => {
      isRunning = waiting.size > 0;
      if (isRunning) setImmediate(next);
    });
  };
  return <T>(client: string, task: () => Promise<T>) => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const run = (): Promise<void> => task().then(resolve, reject);
    waiting.set(client, [...(waiting.get(client) ?? []), run]);
    if (!isRunning) setImmediate(next);
    isRunning = true;
    return promise;
  };
}
