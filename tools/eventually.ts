import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks `probe` until it returns something, and returns that. What the probe throws ends the wait at once.
 *
 * @throws Error that names `what` was waited for, when the time is up
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  { timeoutMs = 30_000, intervalMs = 50 } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what}`);
    await delay(intervalMs);
  }
}
