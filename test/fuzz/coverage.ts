/** The counters that `instrument.js` puts into each file, as Istanbul lays them out. */
interface FileCounters {
  /** By statement. */
  readonly s: Record<string, number>;
  /** By branch, one counter for each way that it can go. */
  readonly b: Record<string, number[]>;
}

/** What Istanbul adds to a thread's globals. */
interface Instrumented {
  readonly __coverage__?: Readonly<Record<string, FileCounters>>;
}

export interface Coverage {
  /** Tells whether anything ran, or ran much more often, that had not since the beginning, and sets the counters to 0. */
  readonly takeNews: () => boolean;
  /** How many statements and ways of branches have run. */
  readonly reached: () => number;
}

/** Watches the counters of this thread's instrumented code. */
export function createCoverage(): Coverage {
  // By counter, a bit for each order of magnitude of turns that was seen, as AFL has it.
  const seen: number[] = [];

  const thread: typeof globalThis & Instrumented = globalThis;

  const takeNews = (): boolean => {
    let index = 0;
    let isNew = false;
    const look = (turns: number): void => {
      const magnitude = turns === 0 ? 0 : 1 << (32 - Math.clz32(turns));
      const before = seen[index] ?? 0;
      if ((before | magnitude) !== before) isNew = true;
      seen[index] = before | magnitude;
      index += 1;
    };
    for (const { s: statements, b: branches } of Object.values(thread.__coverage__ ?? {})) {
      for (const id in statements) {
        look(statements[id] ?? 0);
        statements[id] = 0;
      }
      for (const id in branches) {
        for (const turns of branches[id] ?? []) look(turns);
        branches[id]?.fill(0);
      }
    }
    return isNew;
  };
  return { takeNews, reached: () => seen.filter((magnitudes) => magnitudes !== 0).length };
}
