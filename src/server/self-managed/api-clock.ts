import type { Logger } from '../log.ts';
import type { ApiClient } from './api-client.ts';

/** A clock that follows the API server's. */
export interface ApiClock {
  now(): Date;
  /** Asks through the client and sets the clock by each answer. */
  readonly client: ApiClient;
}

/** From here on a difference is worth a line: certificates are backdated by an hour, leases and tokens bear less. */
const NOTABLE_SKEW_MS = 60_000;

/**
 * Creates a clock that goes by the Date of the API server's answers. It is the API server that checks certificates: one
 * made by a clock that is fast would be refused by it as not valid yet, and then by every other replica, too.
 */
export function createApiClock(client: ApiClient, localNow: () => Date, log: Logger): ApiClock {
  let offsetMs = 0;
  let isToldOf = false;
  const follow = (date: Date): void => {
    offsetMs = date.getTime() - localNow().getTime();
    const isNotable = Math.abs(offsetMs) >= NOTABLE_SKEW_MS;
    if (isNotable && !isToldOf) {
      log.warn({ offsetSeconds: Math.round(offsetMs / 1000) }, "this clock is off; going by the API server's");
    }
    isToldOf = isNotable;
  };
  return {
    now: () => new Date(localNow().getTime() + offsetMs),
    client: async (request) => {
      const answer = await client(request);
      if (answer.date !== undefined) follow(answer.date);
      return answer;
    },
  };
}
