import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { Serving, Site } from './contender.ts';
import { startFloor } from './contenders/floor.ts';
import { imageFlags, startJobguard } from './contenders/jobguard.ts';
import { residentMegabytes } from './process-usage.ts';
import { refusedReview, timedReview } from './reviews.ts';
import { load } from './wrk.ts';

/** Resident memory under the image's flags, in MB. */
export interface Memory {
  readonly jobguard: ResidentMemory;
  /** Of a bare server with the same flags and load, for the same time. */
  readonly floor: ResidentMemory;
}

export interface ResidentMemory {
  readonly atRest: number;
  /** Sampled once a second while loaded. */
  readonly underLoad: readonly number[];
  /** Some seconds after. */
  readonly afterwards: number;
}

/** Until the garbage collector has done with what was: there is nothing to wait for that one could see. */
const SETTLE_MS = 5_000;
/** One part of the load: mostly allowed updates, some refused ones, now and then a large one. */
const PARTS = [
  { name: 'allowed', text: timedReview(16_000).text, seconds: 7 },
  { name: 'refused', text: refusedReview(16_000).text, seconds: 2 },
  { name: 'large', text: timedReview(256_000).text, seconds: 1 },
];

/** Loads jobguard over 8 connections for some seconds, and then a bare server. */
export async function measureMemory(site: Site, seconds: number): Promise<Memory> {
  for (const { name, text } of PARTS) await writeFile(join(site.folder, `memory-${name}.json`), text);
  return {
    jobguard: await watch(site, await startJobguard(site), seconds),
    floor: await watch(site, await startFloor(site, await imageFlags()), seconds),
  };
}

/** Loads a server, watches its memory and stops it. */
async function watch(site: Site, serving: Serving, seconds: number): Promise<ResidentMemory> {
  try {
    await delay(SETTLE_MS);
    const atRest = residentMegabytes(serving.pid);
    const underLoad: number[] = [];
    const timer = setInterval(() => underLoad.push(residentMegabytes(serving.pid)), 1_000);
    const end = Date.now() + seconds * 1_000;
    while (Date.now() < end) {
      for (const part of PARTS) {
        const bodyFile = join(site.folder, `memory-${part.name}.json`);
        await load(serving, { bodyFile, connections: 8, seconds: part.seconds });
      }
    }
    clearInterval(timer);
    await delay(SETTLE_MS);
    return { atRest, underLoad, afterwards: residentMegabytes(serving.pid) };
  } finally {
    await serving.stop();
  }
}
