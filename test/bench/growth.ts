import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { JsonMap, JsonValue } from '../../src/core/json.ts';
import { withValue } from '../support/job.ts';
import type { Serving, Site } from './contender.ts';
import { startFloor } from './contenders/floor.ts';
import { startJobguard } from './contenders/jobguard.ts';
import { jobFor, jobWith, LARGEST_BYTES, reviewOf, timedReview } from './reviews.ts';
import { percentile } from './statistics.ts';
import { load } from './wrk.ts';

/** What one request costs as something grows. */
export interface Growth {
  readonly grows: string;
  readonly points: readonly GrowthPoint[];
}

export interface GrowthPoint {
  readonly at: number;
  readonly bytes: number;
  /** CPU time of a request. */
  readonly cpuMs: number;
  readonly p50Ms: number;
}

/** Measures, each over one connection, what a request costs as the object, the changes, a shifted list and the policy grow. */
export async function measureGrowth(site: Site, rounds: number): Promise<Growth[]> {
  await using undo = new AsyncDisposableStack();
  const jobguard = await startJobguard(site);
  undo.defer(jobguard.stop);
  const floor = await startFloor(site);
  undo.defer(floor.stop);
  const sizes = [2_000, 16_000, 64_000, 256_000, 1_000_000, 1.5 * 2 ** 20, LARGEST_BYTES];
  const counts = [1, 10, 100, 1_000, 10_000];
  return [
    await series(site, jobguard, rounds, 'size of the review, in bytes', sizes, (bytes) => timedReview(bytes).text),
    await series(site, floor, rounds, 'the same, of the floor', sizes, (bytes) => timedReview(bytes).text),
    await series(site, jobguard, rounds, 'changes to an object of 0.75 MiB', counts, manyChanges),
    await series(site, jobguard, rounds, 'items of a list that is shifted by one', counts, shiftedList),
    await policyGrowth(site, rounds),
  ];
}

async function series(
  site: Site,
  serving: Serving,
  rounds: number,
  grows: string,
  steps: readonly number[],
  textAt: (step: number) => string,
): Promise<Growth> {
  const points: GrowthPoint[] = [];
  for (const step of steps) points.push(await measure(site, serving, rounds, step, textAt(step)));
  return { grows, points };
}

async function measure(
  { folder }: Site,
  serving: Serving,
  rounds: number,
  at: number,
  text: string,
): Promise<GrowthPoint> {
  const bodyFile = join(folder, 'growth.json');
  await writeFile(bodyFile, text);
  const loads = [];
  for (let round = 0; round < rounds; round += 1) {
    loads.push(await load(serving, { bodyFile, connections: 1, seconds: 1 }));
  }
  const cpuMs = percentile(
    loads.map(({ requestsPerCpuSecond }) => 1_000 / requestsPerCpuSecond),
    50,
  );
  const p50Ms = percentile(
    loads.map(({ p50Ms }) => p50Ms),
    50,
  );
  return { at, bytes: text.length, cpuMs, p50Ms };
}

/** An update that changes some labels of an object that has ten thousand. */
function manyChanges(count: number): string {
  const labels = (changed: number): JsonValue =>
    Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`l${index}`, index < changed ? 'new' : 'old']));
  const job = jobFor(1.4e6);
  const withLabels = (changed: number): JsonMap => withValue(job, '/metadata/labels', labels(changed));
  return reviewOf('', withLabels(0), withLabels(count), true).text;
}

/** An update that takes the first of some variables away: each of the others then stands where another one stood. */
function shiftedList(count: number): string {
  return reviewOf('', jobWith(['Worker'], count), jobWith(['Worker'], count, 1), false).text;
}

/** What an update of 16 kB costs under policies that allow ever more paths, each with an exemption of its own. */
async function policyGrowth(site: Site, rounds: number): Promise<Growth> {
  const points: GrowthPoint[] = [];
  for (const paths of [10, 100, 1_000]) {
    const policyFile = join(site.folder, `policy-${paths}.json`);
    await writeFile(policyFile, JSON.stringify(policyWith(paths)));
    const jobguard = await startJobguard(site, '--policy', policyFile);
    try {
      points.push(await measure(site, jobguard, rounds, paths, timedReview(16_000).text));
    } finally {
      await jobguard.stop();
    }
  }
  return { grows: 'paths, and as many exemptions, of the policy', points };
}

function policyWith(paths: number): object {
  const numbers = Array.from({ length: paths }, (_, index) => index);
  return {
    apiVersion: 'jobguard/v1',
    kind: 'UpdatePolicy',
    allowUnknownPaths: true,
    allow: [...FIVE_FIELDS, ...numbers.map((index) => `/spec/tfReplicaSpecs/*/template/metadata/labels/l${index}`)],
    exemptions: numbers.map((index) => ({
      name: `team-${index}`,
      usernames: [`system:serviceaccount:team-${index}:*`],
      paths: ['/spec/runPolicy/suspend', `/spec/option-${index}`],
    })),
  };
}

const FIVE_FIELDS = [
  '/metadata/labels',
  '/metadata/annotations',
  '/spec/runPolicy/activeDeadlineSeconds',
  '/spec/runPolicy/ttlSecondsAfterFinished',
  '/spec/runPolicy/cleanPodPolicy',
];
