import { writeFile } from 'node:fs/promises';

import { BATCH, CHANGES, GUARDS, type Mixture, type Patches, type PatchTimes } from './api-server.ts';
import { goalsOf } from './goals.ts';
import type { Growth } from './growth.ts';
import type { InProcess, JudgingSample } from './in-process.ts';
import type { Machine } from './machine.ts';
import type { Memory } from './memory.ts';
import { SIZES } from './reviews.ts';
import { percentile, spreadOf } from './statistics.ts';
import { ratios, type Entrant, type Sample, type Throughput } from './throughput.ts';

/** When a part was measured. */
export interface Measured {
  readonly began: string;
  readonly ended: string;
  /** Mean number of processes that wanted to run in the minute before: above the cores' number, the machine was busy. */
  readonly load: number;
}

/** Everything that was measured. */
export interface Results {
  readonly machine: Machine;
  /** By the part's name. */
  readonly measured: Readonly<Record<string, Measured>>;
  readonly throughput: Throughput;
  readonly inProcess: InProcess;
  readonly patches: Patches;
  readonly growth: readonly Growth[];
  readonly startsMs: readonly number[];
  readonly memory: Memory;
}

/** Writes what people read of a run. */
export async function writeReport(file: string, results: Results): Promise<void> {
  const sections = [
    INTRODUCTION,
    machineSection(results),
    '## Goals',
    GOALS_METHOD,
    goalsTable(results),
    '## Contenders',
    contendersTable(results.throughput.entrants, 'all sizes, up to 3 MiB'),
    '## Throughput',
    ...throughputTables(results.throughput),
    '## In process, no network: the judging alone',
    IN_PROCESS_METHOD,
    contendersTable(results.inProcess.entrants, 'all sizes'),
    inProcessTable(results.inProcess),
    '## PATCH through an API server',
    PATCH_METHOD,
    patchTable(results.patches.times),
    mixtureText(results.patches.mixture),
    '## Growth',
    'Over one connection. CPU time is what the process had of the processor for a request, helper threads included.',
    ...results.growth.map(growthTable),
    '## Start and memory',
    startAndMemory(results),
  ];
  await writeFile(file, `${sections.join('\n\n')}\n`);
}

const INTRODUCTION = `# Benchmarks

Written by \`npm run bench\`; every figure's samples are in [benchmarks.json](benchmarks.json).
It takes Linux, [wrk](https://github.com/wg/wrk), Go and npm; contenders are built or installed the first time.

**Method.** Every contender has the same rule: of a job, only labels, annotations, \`activeDeadlineSeconds\`,
\`ttlSecondsAfterFinished\` and \`cleanPodPolicy\` may change. Before it is timed, each has to judge eleven updates of each
size rightly; one that cannot take a size is left out there. All run at once on one machine with the load generator, which
sends the same allowed update again and again over TLS connections that are kept: each contender a second or two in turn,
round after round, each round beginning with another one. Figures are medians of the rounds, with the lowest and the highest
beside them; ratios are taken within each round. jobguard runs as the image runs it: metrics, validation and decision log on.`;

const IN_PROCESS_METHOD = `The webhooks of Gatekeeper and Kyverno need a cluster. So what is measured of them is what their own
command lines do, each in a process of its own, with the same rule and the same updates, and jobguard beside them from the
bytes of a request's body to those of the answer's. That is as much as they do here, or more. \`gator bench\` times what
Gatekeeper does to review an object, which it writes and parses; the object is the whole AdmissionReview, as it takes no old
one. Of \`kyverno apply\` it is what each further review in a payload takes, which is to parse it and to evaluate the rule, by
the fastest of three runs; for an UPDATE of a resource it has the old object be the new one. Microseconds per review, medians of the rounds with the
lowest and the highest; beside them, how many times as long as jobguard.`;

const GOALS_METHOD = `Beside a figure stands what the same is without jobguard: of the *floor*, a bare server that reads, parses, compares and
answers, or of the *judging floor*, the bare server with the judgement of jobguard and nothing else of it. What they miss,
jobguard cannot reach.`;

const PATCH_METHOD = `One client, one connection, a job of 8 kB. Each kind of guard has a namespace of its own in one API
server, and each round patches in all of them. The policy is a ValidatingAdmissionPolicy of the same rule; jobguard, and the
bare server of the floor, are registered as the chart renders it, \`matchConditions\` included, with a URL in place of the
Service: what the floor adds, every webhook adds. About the five fields the API server asks neither of them; *asked* is a
negative TTL, which is allowed with a warning. Milliseconds.`;

function machineSection({ machine, measured }: Results): string {
  const { processor, cores, memoryGB, system, node, wrk } = machine;
  const rows = Object.entries(measured).map(([part, { began, ended, load }]) => [part, began, ended, load.toFixed(1)]);
  return `**Machine.** ${processor}, ${cores} cores shared with the load generator, ${memoryGB} GB, ${system}; Node ${node}, ${wrk}.
The load is the mean number of processes that wanted to run in the minute before; above ${cores}, the machine was busy with
something else, too.

${table(['part', 'from', 'to', 'load'], rows)}`;
}

function goalsTable(results: Results): string {
  const rows = goalsOf(results).map(({ goal, seen, isMet }) => [goal, seen, isMet ? 'met' : '**not met**']);
  return table(['goal', 'seen', ''], rows);
}

function contendersTable(entrants: readonly Entrant[], everything: string): string {
  const rows = entrants.map(({ name, version, failures }) => [
    name,
    version,
    Object.entries(failures)
      .map(([size, why]) => `${size}: ${why}`)
      .join('; ') || everything,
  ]);
  return table(['contender', 'what it is', 'judges rightly'], rows);
}

function throughputTables({ entrants, samples }: Throughput): string[] {
  const columns = ['contender', 'requests/s', '× jobguard', 'requests/CPU-s', '× jobguard', 'p50 ms', 'p99 ms'];
  const cells = [...Map.groupBy(samples, ({ size, connections }) => `${size}, ${connections} connections`)];
  return cells.flatMap(([cell, ofCell]) => [
    `### ${cell.replace(/^(.*), 1 connections$/, '$1, 1 connection')}`,
    table(
      columns,
      entrants.map(({ name }) => throughputRow(name, ofCell)),
    ),
  ]);
}

function throughputRow(name: string, ofCell: readonly Sample[]): string[] {
  const own = ofCell.filter(({ contender }) => contender === name);
  if (own.length === 0) return [name, 'cannot', '', '', '', '', ''];
  if (own.every(({ requests }) => requests === 0)) return [name, 'none answered in the time', '', '', '', '', ''];
  const ratio = (of: (sample: Sample) => number): string =>
    number(percentile(ratios(ofCell, name, 'jobguard', of), 50));
  const refused = own.reduce((sum, sample) => sum + sample.refused, 0);
  return [
    refused === 0 ? name : `${name} (refused ${refused} as too many at once)`,
    spread(own.map(perSecond)),
    ratio(perSecond),
    spread(own.map(perCpuSecond)),
    ratio(perCpuSecond),
    spread(own.map(({ p50Ms }) => p50Ms)),
    spread(own.map(({ p99Ms }) => p99Ms)),
  ];
}

function inProcessTable({ entrants, samples }: InProcess): string {
  const columns = SIZES.flatMap(({ name }) => [`${name}, µs`, '× jobguard']);
  const rows = entrants.map(({ name }) => [name, ...SIZES.flatMap((size) => inProcessCells(name, size.name, samples))]);
  return table(['', ...columns], rows);
}

function inProcessCells(name: string, size: string, samples: readonly JudgingSample[]): string[] {
  const ofSize = samples.filter((sample) => sample.size === size);
  const own = ofSize.filter(({ contender }) => contender === name).map(microsecondsOf);
  if (own.length === 0) return ['cannot', ''];
  return [spread(own), number(percentile(ratios(ofSize, name, 'jobguard', microsecondsOf), 50))];
}

function microsecondsOf({ microseconds }: JudgingSample): number {
  return microseconds;
}

function perSecond({ requestsPerSecond }: Sample): number {
  return requestsPerSecond;
}

function perCpuSecond({ requestsPerCpuSecond }: Sample): number {
  return requestsPerCpuSecond;
}

function patchTable(patches: PatchTimes): string {
  const rows = CHANGES.flatMap((change) =>
    GUARDS.map((guard) => {
      const times = patches[change][guard];
      const ratioTo = (other: readonly number[]): string => number(percentile(times, 50) / percentile(other, 50));
      const [none, policy] = [patches[change].none, patches[change].policy];
      return [
        change,
        guard,
        number(percentile(times, 50)),
        number(percentile(times, 99)),
        ratioTo(none),
        ratioTo(policy),
      ];
    }),
  );
  return table(['change', 'guard', 'median', 'p99', '× none', '× policy'], rows);
}

function mixtureText({ batchesMs, sent, reached }: Mixture): string {
  const kinds = BATCH.map(([change, count]) => `${count} × ${change}`).join(', ');
  const median = (guard: (typeof GUARDS)[number]): number => percentile(batchesMs[guard], 50);
  const figures = GUARDS.map((guard) => [guard, number(median(guard)), number(median(guard) / median('none'))]);
  return `A day's mixture in batches (${kinds}), ${batchesMs.jobguard.length} to each guard. Of ${sent} PATCHes, the API server asked
jobguard about ${reached} (${((100 * reached) / sent).toFixed(1)} %).

${table(['guard', 'ms a batch, median', '× none'], figures)}`;
}

function growthTable({ grows, points }: Growth): string {
  const [first] = points;
  const rows = points.map(({ at, bytes, cpuMs, p50Ms }) => [
    at.toLocaleString('en'),
    bytes.toLocaleString('en'),
    number(cpuMs),
    number(p50Ms),
    number(cpuMs / (first?.cpuMs ?? NaN)),
  ]);
  return table([grows, 'bytes', 'CPU ms', 'p50 ms', '× the first'], rows);
}

function startAndMemory({ startsMs, memory }: Results): string {
  const { atRest, underLoad, afterwards } = memory.jobguard;
  return `From the start of the process to \`200\` of \`/readyz\`, ${startsMs.length} starts: ${spread(startsMs)} ms.

Resident memory with the flags of the image: ${number(atRest)} MB at rest; over ${underLoad.length} s of load at 8 connections
(16 kB updates, two in ten of them refused, and 256 kB ones every ten seconds) ${spread(underLoad)} MB; ${number(afterwards)} MB afterwards. The floor with the same flags and load, over ${memory.floor.underLoad.length} s: ${number(memory.floor.atRest)} MB
at rest, then ${spread(memory.floor.underLoad)} MB.`;
}

function spread(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values);
  return `${number(median)} (${number(min)}–${number(max)})`;
}

/** Three significant digits; whole numbers above a hundred. */
function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
