import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Site } from './contender.ts';
import { reviewsOf, SIZES, timedReview, type Review } from './reviews.ts';
import { rotated } from './rotated.ts';
import type { Entrant } from './throughput.ts';

/** What judges reviews without being asked over a network. */
export interface Judge {
  readonly name: string;
  /** About how much it judges in a second, from which comes how many reviews it is given in a round. */
  readonly bytesPerSecond: number;
  /** May get it ready, which the first time takes minutes. */
  readonly prepare: (site: Site) => Promise<PreparedJudge>;
}

export interface PreparedJudge {
  /** What is measured, with versions. */
  readonly version: string;
  /** Returns whether it allows the review in a file. */
  readonly allows: (reviewFile: string) => Promise<boolean>;
  /** Returns how long it takes over one review, asked so many times for the one in a file. */
  readonly microseconds: (reviewFile: string, times: number) => Promise<number>;
}

/** What a review of one size took in one round. */
export interface JudgingSample {
  readonly contender: string;
  readonly size: string;
  readonly round: number;
  readonly microseconds: number;
}

export interface InProcess {
  readonly entrants: readonly Entrant[];
  readonly samples: readonly JudgingSample[];
}

interface Ready extends Entrant {
  readonly bytesPerSecond: number;
  readonly microseconds: PreparedJudge['microseconds'];
}

/** So that the little that a process does beside is spread over some reviews, however large they are. */
const LEAST_TIMES = 3;

/** Has each judge the reviews that it has to get right, and then measures them in turn, one size after the other. */
export async function measureInProcess(site: Site, judges: readonly Judge[], rounds: number): Promise<InProcess> {
  const entrants: Entrant[] = [];
  const ready: Ready[] = [];
  for (const judge of judges) {
    const prepared = await judge.prepare(site).catch(reason);
    if (typeof prepared === 'string') {
      entrants.push({ name: judge.name, version: 'cannot be had', failures: { none: prepared } });
      continue;
    }
    const entrant = { name: judge.name, version: prepared.version, failures: await failuresOf(site, prepared) };
    entrants.push(entrant);
    ready.push({ ...entrant, bytesPerSecond: judge.bytesPerSecond, microseconds: prepared.microseconds });
  }

  const samples: JudgingSample[] = [];
  for (const size of SIZES) samples.push(...(await measureSize(site, ready, size, rounds)));
  return { entrants, samples };
}

async function measureSize(
  site: Site,
  ready: readonly Ready[],
  { name: size, bytes }: (typeof SIZES)[number],
  rounds: number,
): Promise<JudgingSample[]> {
  const samples: JudgingSample[] = [];
  const file = await write(site, timedReview(bytes));
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name: contender, failures, bytesPerSecond, microseconds } of rotated(ready, round)) {
      if (size in failures) continue;
      const times = Math.max(LEAST_TIMES, Math.round(bytesPerSecond / bytes));
      samples.push(reported({ contender, size, round, microseconds: await microseconds(file, times) }));
    }
  }
  return samples;
}

async function failuresOf(site: Site, judge: PreparedJudge): Promise<Record<string, string>> {
  const failures: Record<string, string> = {};
  for (const { name, bytes } of SIZES) {
    const reviews = reviewsOf(bytes);
    const wrong: string[] = [];
    for (const review of reviews) {
      const verdict = await judge.allows(await write(site, review)).catch(reason);
      if (verdict !== review.allowed) wrong.push(`${review.title}: ${String(verdict)}`);
    }
    if (wrong.length > 0) failures[name] = `${wrong.length} of ${reviews.length} wrong, such as ${wrong[0] ?? ''}`;
  }
  return failures;
}

async function write({ folder }: Site, { text }: Review): Promise<string> {
  const file = join(folder, 'judged.json');
  await writeFile(file, text);
  return file;
}

/** The end of what an error says, on one line: builds say at their end why they failed. */
function reason(error: unknown): string {
  return String(error).trim().replaceAll(/\s+/g, ' ').slice(-200);
}

function reported(sample: JudgingSample): JudgingSample {
  const { contender, size, microseconds } = sample;
  process.stderr.write(`${contender.padEnd(20)} ${size.padEnd(14)} ${microseconds.toFixed(1).padStart(10)} µs\n`);
  return sample;
}
