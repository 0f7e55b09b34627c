/**
 * Measures jobguard beside its peers and writes docs/benchmarks.md and docs/benchmarks.json.
 *
 *   npm run bench                        everything; some forty minutes, four of them for the memory
 *   npm run bench -- --only=patches,startsMs   some parts again; the others stay as they were measured before
 *   npm run bench -- --memory-seconds=60
 *   npm run bench -- --quick             a look in some minutes, which writes to a temporary folder
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { measurePatches } from './api-server.ts';
import { createSite, type Site } from './contender.ts';
import { controllerRuntime } from './contenders/controller-runtime.ts';
import { express } from './contenders/express.ts';
import { floor, judgingFloor } from './contenders/floor.ts';
import { gator, gatorCel, gatorWithoutPaths } from './contenders/gator.ts';
import { jobguard } from './contenders/jobguard.ts';
import { jobguardInProcess } from './contenders/jobguard-in-process.ts';
import { kyverno } from './contenders/kyverno.ts';
import { opa, opaWithoutPaths } from './contenders/opa.ts';
import { pepr } from './contenders/pepr.ts';
import { measureGrowth } from './growth.ts';
import { measureInProcess } from './in-process.ts';
import { describeMachine } from './machine.ts';
import { measureMemory } from './memory.ts';
import { writeReport, type Measured, type Results } from './report.ts';
import { SIZES } from './reviews.ts';
import { measureStarts } from './start.ts';
import { measureThroughput, REFUSED, type Cell } from './throughput.ts';
import { hasWrk } from './wrk.ts';

const CONTENDERS = [jobguard, floor, judgingFloor, express, controllerRuntime, opa, opaWithoutPaths, pepr];
const JUDGES = [jobguardInProcess, gator, gatorWithoutPaths, gatorCel, kyverno];
const DOCS = join(import.meta.dirname, '../../docs');

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'memory-seconds': { type: 'string' },
  },
});

/** 16 kB decides on most goals, so it gets most rounds. */
function cells(isQuick: boolean): Cell[] {
  const sizes = [...SIZES.map(({ name }) => name), REFUSED];
  return sizes.flatMap((size) =>
    [1, 8, 32].map((connections) => ({
      size,
      connections,
      rounds: isQuick ? 1 : size === '16 kB' ? 7 : 3,
      seconds: !isQuick && size === '16 kB' ? 2 : 1,
    })),
  );
}

type Parts = Omit<Results, 'machine' | 'measured'>;

/** How each part of the results is measured, in this order. */
function measurements(site: Site, isQuick: boolean): { readonly [Part in keyof Parts]: () => Promise<Parts[Part]> } {
  const memorySeconds = Number(flags['memory-seconds'] ?? (isQuick ? 10 : 120));
  return {
    throughput: () => measureThroughput(site, CONTENDERS, { cells: cells(isQuick), warmUpSeconds: 3 }),
    inProcess: () => measureInProcess(site, JUDGES, isQuick ? 1 : 5),
    patches: () => measurePatches(site, isQuick ? { rounds: 60, batches: 10 } : { rounds: 1600, batches: 100 }),
    growth: () => measureGrowth(site, isQuick ? 1 : 3),
    startsMs: () => measureStarts(site, 25),
    memory: () => measureMemory(site, memorySeconds),
  };
}

/** Measures the chosen parts, and takes the others from what was measured before. */
async function measure(before: Results | undefined, isChosen: (part: string) => boolean): Promise<Results> {
  await using site = await createSite();
  const measured: Record<string, Measured> = { ...before?.measured };
  const parts: Record<string, unknown> = { ...before };
  for (const [part, measurement] of Object.entries(measurements(site, flags.quick))) {
    if (!isChosen(part)) continue;
    const [began, load] = [new Date().toISOString(), loadavg()[0] ?? 0];
    say(part);
    parts[part] = await measurement();
    measured[part] = { began, ended: new Date().toISOString(), load };
  }
  return { ...(parts as unknown as Parts), measured, machine: await describeMachine() };
}

function say(what: string): void {
  process.stderr.write(`${new Date().toISOString()} ${what}\n`);
}

if (!(await hasWrk())) throw new Error('The load generator wrk is missing; on Debian: apt-get install wrk');
const only = flags.only?.split(',');
const before =
  only === undefined ? undefined : (JSON.parse(await readFile(join(DOCS, 'benchmarks.json'), 'utf8')) as Results);
const results = await measure(before, (part) => only?.includes(part) ?? true);
const folder = flags.quick ? await mkdtemp(join(tmpdir(), 'jobguard-benchmarks-')) : DOCS;
await writeFile(join(folder, 'benchmarks.json'), `${JSON.stringify(results, undefined, 1)}\n`);
await writeReport(join(folder, 'benchmarks.md'), results);
say(`written to ${folder}`);
