/** A moment by which something should have happened, in milliseconds of `performance.now()`, and what else happens then. */
export interface Deadline {
  readonly at: number;
  readonly expire: () => void;
}

export interface Deadlines {
  add(deadline: Deadline): void;
  delete(deadline: Deadline): void;
}

/**
 * Lets deadlines expire as they pass. All share one timer, set for the earliest: nearly every one is deleted long before, and a
 * timer of its own would take a request longer than what is done about it.
 */
export function createDeadlines(): Deadlines {
  const pending = new Set<Deadline>();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Infinity;

  const setTimer = (at: number): void => {
    clearTimeout(timer);
    timerAt = at;
    // Whoever waits for something holds on to what it waits for.
    timer = setTimeout(expirePassed, Math.max(1, at - performance.now())).unref();
  };
  const expirePassed = (): void => {
    const now = performance.now();
    timerAt = Infinity;
    let next = Infinity;
    for (const deadline of pending) {
      if (deadline.at > now) next = Math.min(next, deadline.at);
      else if (pending.delete(deadline)) deadline.expire();
    }
    if (next < timerAt) setTimer(next);
  };
  return {
    add: (deadline) => {
      pending.add(deadline);
      if (deadline.at < timerAt) setTimer(deadline.at);
    },
    delete: (deadline) => {
      pending.delete(deadline);
    },
  };
}
