import { ALLOWED_CHANGES, type Change, type Guard } from './api-server.ts';
import type { Growth } from './growth.ts';
import type { ResidentMemory } from './memory.ts';
import { percentile } from './statistics.ts';
import type { Results } from './report.ts';
import { ratios, REFUSED, type Sample } from './throughput.ts';

/** What jobguard is held to, and what came of it. */
export interface Goal {
  readonly goal: string;
  readonly seen: string;
  readonly isMet: boolean;
}

/** Compares a run's figures with what jobguard is meant to reach. */
export function goalsOf(results: Results): Goal[] {
  return [
    ...throughputGoals(results),
    tailGoal(results),
    ...patchGoals(results),
    linearity(results),
    ...ownGoals(results),
  ];
}

/** By how much jobguard is to be ahead of each at 8 connections. */
const LEADS = [
  { over: 'floor', size: '16 kB', least: 0.8, of: 'requests/s' },
  { over: 'floor', size: REFUSED, least: 0.7, of: 'requests/s' },
  { over: 'floor', size: '2 kB', least: 0.6, of: 'requests/s' },
  { over: 'pepr', size: '16 kB', least: 4, of: 'requests/s' },
  { over: 'controller-runtime', size: '16 kB', least: 1.3, of: 'requests/CPU-s' },
  { over: 'opa', size: '16 kB', least: 3, of: 'requests/s' },
] as const;

function throughputGoals({ throughput: { samples } }: Results): Goal[] {
  return LEADS.map(({ over, size, least, of }) => {
    const cell = cellOf(samples, size);
    const figure = (sample: Sample): number =>
      of === 'requests/s' ? sample.requestsPerSecond : sample.requestsPerCpuSecond;
    const lead = (name: string): number => percentile(ratios(cell, name, over, figure), 50);
    const goal = atLeast(`${of} at ${size}, 8 connections: ≥ ${least} × ${over}`, lead('jobguard'), least);
    return beside(goal, 'judging floor', lead('judging floor').toFixed(2));
  });
}

const TAIL_MS = 10;

function tailGoal({ throughput: { samples } }: Results): Goal {
  const p99Of = (name: string): number =>
    percentile(
      cellOf(samples, '16 kB')
        .filter(({ contender }) => contender === name)
        .map(({ p99Ms }) => p99Ms),
      50,
    );
  const [own, floor] = [p99Of('jobguard'), p99Of('floor')];
  return {
    goal: `p99 at 16 kB, 8 connections: ≤ ${TAIL_MS} ms, or no more than the floor's`,
    seen: `${own.toFixed(1)} ms (floor ${floor.toFixed(1)} ms)`,
    isMet: own <= Math.max(TAIL_MS, floor),
  };
}

function cellOf(samples: readonly Sample[], ofSize: string): Sample[] {
  return samples.filter(({ size, connections }) => size === ofSize && connections === 8);
}

/** As many PATCHes of one kind make a block, whose medians are compared. */
const BLOCK = 200;

/** Returns the median of the ratios, block by block, of what PATCHes took. */
function patchRatio(times: readonly number[], to: readonly number[]): number {
  const blocks = Array.from({ length: Math.max(1, Math.floor(times.length / BLOCK)) }, (_, index) => index * BLOCK);
  const medianAt = (of: readonly number[], start: number): number => percentile(of.slice(start, start + BLOCK), 50);
  return percentile(
    blocks.map((start) => medianAt(times, start) / medianAt(to, start)),
    50,
  );
}

function patchGoals({ patches: { times } }: Results): Goal[] {
  const compare = (change: Change, to: Guard, most: number): Goal => {
    const ratio = (guard: Guard): number => patchRatio(times[change][guard], times[change][to]);
    const goal = atMost(`PATCH, ${change}: ≤ ${most.toFixed(2)} × ${NAMES[to]}`, ratio('jobguard'), most);
    return to === 'floor' ? goal : beside(goal, 'floor', ratio('floor').toFixed(3));
  };
  return [
    ...ALLOWED_CHANGES.flatMap((change) => [compare(change, 'none', 1.03), compare(change, 'policy', 1)]),
    compare('refused', 'floor', 1.05),
  ];
}

const NAMES: Readonly<Record<Guard, string>> = {
  none: 'no webhook',
  policy: 'the ValidatingAdmissionPolicy',
  floor: 'a bare webhook',
  jobguard: 'jobguard',
};

/** Twice the cost for twice the bytes, with as much again for what is measured with it. */
const MOST_PER_BYTE = 1.5;

function linearity({ growth: [own, ofFloor] }: Results): Goal {
  const seen = (sizes: Growth | undefined): number => {
    const points = (sizes?.points ?? []).filter(({ bytes }) => bytes >= 200_000 && bytes <= 1.7e6);
    const perByte = points.map(({ cpuMs, bytes }) => cpuMs / bytes);
    return Math.max(...perByte) / Math.min(...perByte);
  };
  const goal = `CPU per byte from 256 kB to 1.5 MiB: within ${MOST_PER_BYTE} ×`;
  return beside(atMost(goal, seen(own), MOST_PER_BYTE), 'floor', seen(ofFloor).toFixed(3));
}

const MOST_MEMORY = 1.1;

function ownGoals({ startsMs, memory }: Results): Goal[] {
  const ready = percentile(startsMs, 50);
  const peakOf = ({ underLoad }: ResidentMemory): number => Math.max(...underLoad);
  const [peak, ofFloor] = [peakOf(memory.jobguard), peakOf(memory.floor)];
  return [
    { goal: 'ready in ≤ 200 ms, median', seen: `${ready.toFixed(0)} ms`, isMet: ready <= 200 },
    {
      goal: `most resident memory under load: ≤ ${MOST_MEMORY} × floor`,
      seen: `${(peak / ofFloor).toFixed(2)} (${peak.toFixed(0)} MB, floor ${ofFloor.toFixed(0)} MB)`,
      isMet: peak <= MOST_MEMORY * ofFloor,
    },
  ];
}

function atLeast(goal: string, seen: number, least: number): Goal {
  return { goal, seen: seen.toFixed(2), isMet: seen >= least };
}

function atMost(goal: string, seen: number, most: number): Goal {
  return { goal, seen: seen.toFixed(3), isMet: seen <= most };
}

/** Adds what the least that there can be comes to. */
function beside({ goal, seen, isMet }: Goal, what: string, figure: string): Goal {
  return { goal, seen: `${seen} (${what} ${figure})`, isMet };
}
