import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Contender, Serving, Site } from './contender.ts';
import { requireRightVerdicts } from './correctness.ts';
import { LARGEST_BYTES, refusedReview, reviewsOf, SIZES, timedReview } from './reviews.ts';
import { rotated } from './rotated.ts';
import { load, type Load } from './wrk.ts';

/** One cell of the table in one round. */
export interface Sample extends Load {
  readonly contender: string;
  readonly size: string;
  readonly connections: number;
  readonly round: number;
}

/** What a contender is, and which sizes it could not take. */
export interface Entrant {
  readonly name: string;
  readonly version: string;
  /** Sizes that it judges wrongly or not at all, with what it answered. */
  readonly failures: Readonly<Record<string, string>>;
}

export interface Throughput {
  readonly entrants: readonly Entrant[];
  readonly samples: readonly Sample[];
}

/** What is measured of throughput, and how long. */
export interface ThroughputPlan {
  readonly cells: readonly Cell[];
  readonly warmUpSeconds: number;
}

export interface Cell {
  readonly size: string;
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** The update of 16 kB that is refused: with a message, a log line and its paths counted. */
export const REFUSED = '16 kB refused';
const LARGEST = '3 MiB';

interface Running extends Entrant {
  readonly serving: Serving;
}

/** Starts all contenders, has each judge the reviews, and then loads them in turn, one cell after the other. */
export async function measureThroughput(
  site: Site,
  contenders: readonly Contender[],
  { cells, warmUpSeconds }: ThroughputPlan,
): Promise<Throughput> {
  await using undo = new AsyncDisposableStack();
  const bodyFiles = await writeBodies(site);
  const running: Running[] = [];
  for (const { name, prepare } of contenders) {
    const { version, start } = await prepare();
    const serving = await start(site);
    undo.defer(serving.stop);
    running.push({ name, version, serving, failures: await failuresOf(site, serving) });
  }
  for (const { serving } of running) {
    await load(serving, { bodyFile: bodyFiles('16 kB'), connections: 8, seconds: warmUpSeconds });
  }

  const samples: Sample[] = [];
  for (const cell of cells) {
    for (let round = 1; round <= cell.rounds; round += 1) {
      for (const contender of rotated(running, round))
        samples.push(...(await sampleOf(contender, cell, round, bodyFiles)));
    }
  }
  return { entrants: running.map(({ name, version, failures }) => ({ name, version, failures })), samples };
}

async function sampleOf(
  { name, serving, failures }: Running,
  { size, connections, seconds }: Cell,
  round: number,
  bodyFiles: (size: string) => string,
): Promise<Sample[]> {
  if (size in failures) return [];
  const seen = await load(serving, { bodyFile: bodyFiles(size), connections, seconds });
  const sample = { contender: name, size, connections, round, ...seen };
  report(sample);
  return [sample];
}

async function writeBodies({ folder }: Site): Promise<(size: string) => string> {
  const fileOf = (size: string): string => join(folder, `${size.replaceAll(/\W/g, '-')}.json`);
  for (const { name, bytes } of SIZES) await writeFile(fileOf(name), timedReview(bytes).text);
  await writeFile(fileOf(REFUSED), refusedReview(16_000).text);
  return fileOf;
}

async function failuresOf({ ca }: Site, serving: Serving): Promise<Record<string, string>> {
  const failures: Record<string, string> = {};
  for (const { name, bytes } of [...SIZES, { name: LARGEST, bytes: LARGEST_BYTES }]) {
    await requireRightVerdicts(ca, serving, reviewsOf(bytes)).catch((error: unknown) => {
      failures[name] = error instanceof Error ? error.message : String(error);
    });
  }
  return failures;
}

function report(sample: Sample): void {
  const { contender, size, connections, requestsPerSecond, requestsPerCpuSecond, p50Ms, p99Ms } = sample;
  const figures = [requestsPerSecond, requestsPerCpuSecond].map((figure) => figure.toFixed(0).padStart(6));
  process.stderr.write(
    `${contender.padEnd(20)} ${size.padEnd(14)} c=${String(connections).padEnd(2)} ${figures.join(' ')} /s /cpu-s` +
      `  p50 ${p50Ms.toFixed(2)} p99 ${p99Ms.toFixed(2)} ms\n`,
  );
}

/** Returns, round by round, a figure of one contender as a multiple of another's, in the samples of one cell. */
export function ratios<S extends Pick<Sample, 'contender' | 'round'>>(
  ofCell: readonly S[],
  name: string,
  other: string,
  figure: (sample: S) => number,
): number[] {
  return ofCell
    .filter(({ contender }) => contender === name)
    .flatMap((sample) => {
      const beside = ofCell.find(({ contender, round }) => contender === other && round === sample.round);
      return beside === undefined ? [] : [figure(sample) / figure(beside)];
    });
}
