/**
 * Measures jobguard beside its peers and writes docs/benchmarks.md and docs/benchmarks.json.
 *
 *   npm run bench                        everything; some forty minutes, ten of them for the memory
 *   npm run bench -- --memory-seconds=60
 *   npm run bench -- --quick             a look in some minutes, which writes to a temporary folder
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { measurePatches } from './api-server.ts';
import { createSite } from './contender.ts';
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
import { writeReport, type Results } from './report.ts';
import { SIZES } from './reviews.ts';
import { measureStarts } from './start.ts';
import { measureThroughput, REFUSED, type Cell } from './throughput.ts';
import { hasWrk } from './wrk.ts';

const CONTENDERS = [jobguard, floor, judgingFloor, express, controllerRuntime, opa, opaWithoutPaths, pepr];
const JUDGES = [jobguardInProcess, gator, gatorWithoutPaths, gatorCel, kyverno];
const DOCS = join(import.meta.dirname, '../../docs');

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, 'memory-seconds': { type: 'string' } },
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

async function measure(isQuick: boolean): Promise<Results> {
  await using site = await createSite();
  const began = new Date().toISOString();
  const machine = await describeMachine();
  say('throughput');
  const throughput = await measureThroughput(site, CONTENDERS, { cells: cells(isQuick), warmUpSeconds: 3 });
  say('in process');
  const inProcess = await measureInProcess(site, JUDGES, isQuick ? 1 : 5);
  say('PATCH through an API server');
  const patches = await measurePatches(site, isQuick ? 60 : 1600);
  say('growth');
  const growth = await measureGrowth(site, isQuick ? 1 : 3);
  say('start');
  const startsMs = await measureStarts(site, 15);
  say('memory');
  const memory = await measureMemory(site, Number(flags['memory-seconds'] ?? (isQuick ? 10 : 600)));
  return { began, ended: new Date().toISOString(), machine, throughput, inProcess, patches, growth, startsMs, memory };
}

function say(what: string): void {
  process.stderr.write(`${new Date().toISOString()} ${what}\n`);
}

if (!(await hasWrk())) throw new Error('The load generator wrk is missing; on Debian: apt-get install wrk');
const results = await measure(flags.quick);
const folder = flags.quick ? await mkdtemp(join(tmpdir(), 'jobguard-benchmarks-')) : DOCS;
await writeFile(join(folder, 'benchmarks.json'), `${JSON.stringify(results, undefined, 1)}\n`);
await writeReport(join(folder, 'benchmarks.md'), results);
say(`written to ${folder}`);
