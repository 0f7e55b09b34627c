import type { Logger } from '../../telemetry/log.ts';
import type { ApiClient } from './api-client.ts';

/** A clock that follows the API server's. */
export interface ApiClock {
  now(): Date;
  /** Asks through the client and sets the clock by each answer. */
  readonly client: ApiClient;
}

/** The clock of this machine. */
export interface LocalClock {
  /** It may be wrong, and be set right at any moment. */
  now(): Date;
  /** Milliseconds since some moment, which go on evenly whatever becomes of `now`. */
  elapsedMs(): number;
}

/** From here on a difference is worth a line: certificates are backdated by an hour, leases and tokens bear less. */
const NOTABLE_SKEW_MS = 60_000;

/**
 * Creates a clock that goes by the Date of the API server's answers. It is the API server that checks certificates: one
 * made by a clock that is fast would be refused by it as not valid yet, and then by every other replica, too. Between the
 * answers a clock of this machine that is set right, or wrong, makes no difference.
 */
export function createApiClock(client: ApiClient, local: LocalClock, log: Logger): ApiClock {
  let told: { readonly dateMs: number; readonly elapsedMs: number } | undefined;
  let isToldOf = false;
  const follow = (date: Date): void => {
    told = { dateMs: date.getTime(), elapsedMs: local.elapsedMs() };
    const offsetMs = told.dateMs - local.now().getTime();
    const isNotable = Math.abs(offsetMs) >= NOTABLE_SKEW_MS;
    if (isNotable && !isToldOf) {
      log.warn({ offsetSeconds: Math.round(offsetMs / 1000) }, "local clock is off; using the API server's time");
    }
    isToldOf = isNotable;
  };
  return {
    now: () =>
      told === undefined ? local.now() : new Date(told.dateMs + Math.round(local.elapsedMs() - told.elapsedMs)),
    client: async (request) => {
      const answer = await client(request);
      if (answer.date !== undefined) follow(answer.date);
      return answer;
    },
  };
}
