import type { JudgedUpdate, Outcome } from './outcome.ts';

/** What would have been refused to one writer. */
export interface RefusedWriter {
  readonly user: string;
  readonly groups: readonly string[];
  readonly fieldManager: string;
  readonly denied: number;
  readonly namespaces: readonly string[];
  /** The most frequent one first. */
  readonly paths: readonly { readonly path: string; readonly count: number }[];
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** The last one. */
  readonly example: Readonly<Record<'namespace' | 'name' | 'resource' | 'auditID', string>>;
}

/** What a policy says of everything that was recorded. */
export interface Report {
  /** Lines of the logs. */
  readonly events: number;
  /** `allowed`, `exempt` and `denied` together. */
  readonly judged: number;
  readonly allowed: number;
  readonly exempt: number;
  readonly denied: number;
  /** Updates of jobs of which the logs have no earlier state. */
  readonly unknown: number;
  /** Updates that failed or were dry runs. */
  readonly skipped: number;
  /** When the first and the last judged update were answered; undefined where there is none. */
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** The one with the most refused updates first. */
  readonly writers: readonly RefusedWriter[];
}

export interface Tally {
  readonly add: (update: JudgedUpdate | 'unknown' | 'skipped') => void;
  readonly report: (events: number) => Report;
}

interface Refusals {
  readonly first: JudgedUpdate;
  last: JudgedUpdate;
  denied: number;
  readonly namespaces: Set<string>;
  readonly paths: Map<string, number>;
}

/** Creates a tally of updates, which are added in the order of time. It holds one entry for each writer that is refused. */
export function createTally(): Tally {
  const counts: Record<Outcome | 'unknown' | 'skipped', number> = {
    allowed: 0,
    exempt: 0,
    denied: 0,
    unknown: 0,
    skipped: 0,
  };
  const writers = new Map<string, Refusals>();
  let from: Date | undefined;
  let to: Date | undefined;

  const refuse = (update: JudgedUpdate): void => {
    const key = JSON.stringify([update.user.username, update.fieldManager]);
    const refusals = writers.get(key) ?? emptyRefusals(update);
    writers.set(key, refusals);
    refusals.last = update;
    refusals.denied += 1;
    refusals.namespaces.add(update.namespace);
    for (const path of update.paths) refusals.paths.set(path, (refusals.paths.get(path) ?? 0) + 1);
  };
  return {
    add: (update) => {
      counts[typeof update === 'string' ? update : update.outcome] += 1;
      if (typeof update === 'string') return;
      from ??= update.time;
      to = update.time;
      if (update.outcome === 'denied') refuse(update);
    },
    report: (events) => {
      const judged = counts.allowed + counts.exempt + counts.denied;
      const refused = [...writers.values()].map(refusedWriter).sort((a, b) => b.denied - a.denied);
      return { events, judged, ...counts, from, to, writers: refused };
    },
  };
}

function emptyRefusals(first: JudgedUpdate): Refusals {
  return { first, last: first, denied: 0, namespaces: new Set(), paths: new Map() };
}

function refusedWriter({ first, last, denied, namespaces, paths }: Refusals): RefusedWriter {
  const { user, fieldManager, namespace, name, resource, auditID } = last;
  return {
    user: user.username,
    groups: user.groups,
    fieldManager,
    denied,
    namespaces: [...namespaces].sort(),
    paths: [...paths].map(([path, count]) => ({ path, count })).sort((a, b) => b.count - a.count),
    firstSeen: first.time,
    lastSeen: last.time,
    example: { namespace, name, resource, auditID },
  };
}
