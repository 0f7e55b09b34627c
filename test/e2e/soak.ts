/**
 * Has two releases on a node outlive everything at once, for an hour or as many minutes as `--minutes` says: one with a
 * certificate from a Secret is restarted, upgraded, drained, killed and given other authorities; one that makes its own loses
 * its Secret and the API server, and a pod sends it hostile bodies. Prints its counts, and exits with 1 where one is wrong.
 */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { at } from '../../tools/json-at.ts';
import { startCluster, type Cluster } from '../../tools/node/cluster.ts';
import { loadImages } from '../../tools/node/load-images.ts';
import { changePolicy, deleteByForce, drain, restart, rotate, type Disturbed } from './disturbances.ts';
import { startHostilePod } from './hostile-pod.ts';
import { addressesOf } from './pods.ts';
import { install, issue, metricsOf, SECRET, type Release } from './release.ts';
import { MEMORY_LIMIT_MIB, resourcesOf } from './resources.ts';
import { prepare } from './setup.ts';
import { deleteSecret, truncateSecret } from './shared-certificate.ts';
import { GUARDED_TRAFFIC, meanwhile, startTraffic, type Kind, type Traffic } from './traffic.ts';

/** At two releases this many, more than 100 000 an hour. */
const PER_SECOND = 18;
const PATCHES_PER_MINUTE = 100_000 / 60;
const AWAY_MS = 60_000;
/** Each cycle has more kills than anything else: what they cost is to be measured. */
const KILLS_PER_CYCLE = 4;
/** Of the memory in the last third of the time, compared with the second one; the first is the start. */
const GROWTH_LIMIT = 1.15;

const OPERATOR: Kind = {
  name: 'status, by the operator',
  as: 'system:serviceaccount:kubeflow:training-operator',
  subresource: 'status',
  patch: (turn) => ({ status: { replicaStatuses: { Worker: { active: turn } } } }),
  isRight: ({ status }) => status === 200,
};

const KUEUE: Kind = {
  name: 'suspend, by Kueue',
  as: 'system:serviceaccount:kueue-system:kueue-controller-manager',
  patch: (turn) => ({ spec: { runPolicy: { suspend: turn % 2 === 0 } } }),
  isRight: ({ status }) => status === 200,
};

/** The owner is there, or the real collector would delete the job. */
async function collector(cluster: Cluster, namespace: string): Promise<Kind> {
  const { json } = await cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`);
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-root-ca.crt', uid: at(json, 'metadata', 'uid') };
  return {
    name: 'owner, by the garbage collector',
    as: 'system:serviceaccount:kube-system:generic-garbage-collector',
    patch: (turn) => ({ metadata: { ownerReferences: [{ ...owner, controller: turn % 2 === 0 }] } }),
    isRight: ({ status }) => status === 200,
  };
}

const { minutes } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } }).values;
const durationMs = Number(minutes) * 60_000;
if (!(durationMs > 0)) throw new Error(`--minutes ${minutes}: expected a number above 0`);

const problems = await soak(durationMs);
for (const problem of problems) say(`WRONG: ${problem}`);
say(problems.length === 0 ? 'soak: all is well' : `soak: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Returns what went wrong. */
async function soak(forMs: number): Promise<string[]> {
  await using undo = new AsyncDisposableStack();
  const archive = await prepare();
  undo.defer(() => rm(dirname(archive), { recursive: true }));
  const cluster = await startCluster();
  undo.defer(cluster.stop);
  await loadImages(cluster.loadCommand, archive);
  const shaken = undo.use(await startShaken(cluster, forMs));
  const lasting = undo.use(await startLasting(cluster, forMs));
  const hostile = undo.use(await startHostilePod(cluster, lasting.release));

  const startedAt = performance.now();
  const memory: number[] = [];
  for (let cycle = 1; performance.now() - startedAt < forMs; cycle += 1) {
    say(`cycle ${cycle}, after ${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`);
    for (const step of [...lasting.steps(cycle), ...shaken.steps(cycle)]) {
      if (performance.now() - startedAt >= forMs) break;
      await step();
      memory.push(await residentMib(cluster, lasting.release));
    }
  }
  say(`hostile bodies, answers by code: ${await hostile.counts()}`);
  return [
    ...(await shaken.problems()),
    ...(await lasting.problems()),
    ...growth(memory),
    ...tooFew(shaken.traffic.tally().sent + lasting.traffic.tally().sent, forMs),
  ];
}

/** A release with traffic, and what is done to it in each cycle. */
interface Soaked extends AsyncDisposable {
  readonly release: Release;
  readonly traffic: Traffic;
  readonly steps: (cycle: number) => readonly (() => Promise<void>)[];
  /** Ends the traffic, prints its counts, and returns what is wrong. */
  readonly problems: () => Promise<string[]>;
}

/** A release whose pods come and go. */
async function startShaken(cluster: Cluster, longestMs: number): Promise<Soaked> {
  const name = 'jobguard-shaken';
  let serving = await issue(cluster, name, 100);
  await cluster.kubectl(['create', 'namespace', name]);
  await serving.store();
  const tls = { mode: 'existingSecret', existingSecret: { name: SECRET, caBundle: serving.ca } };
  const { disturbed, ...soaked } = await startSoaked(cluster, name, { tls, longestMs });
  const rotation = (cycle: number) => async (): Promise<void> => {
    serving = await rotate(disturbed, serving, cycle);
  };
  return {
    ...soaked,
    steps: (cycle) => [
      () => restart(disturbed, cycle),
      ...Array.from({ length: KILLS_PER_CYCLE }, () => () => deleteByForce(disturbed)),
      () => changePolicy(disturbed),
      () => drain(disturbed),
      rotation(cycle),
    ],
  };
}

/** A release whose pods last, so that one can see what becomes of their memory. */
async function startLasting(cluster: Cluster, longestMs: number): Promise<Soaked> {
  const { disturbed, ...soaked } = await startSoaked(cluster, 'jobguard-lasting', {
    tls: { mode: 'selfManaged' },
    longestMs,
  });
  const { release, during } = disturbed;
  return {
    ...soaked,
    steps: () => [
      () => during('the Secret is deleted', () => deleteSecret(cluster, release)),
      () => during('the Secret is truncated', () => truncateSecret(cluster, release)),
      () => during('the API server is away', () => withoutApiServer(cluster, release)),
    ],
  };
}

interface SoakedOptions {
  readonly tls: object;
  readonly longestMs: number;
}

async function startSoaked(
  cluster: Cluster,
  name: string,
  { tls, longestMs }: SoakedOptions,
): Promise<Omit<Soaked, 'steps'> & { disturbed: Disturbed }> {
  await using undo = new AsyncDisposableStack();
  const policy = { presets: { kueue: true } };
  const release = undo.use(await install(cluster, name, { tls, policy }, { guarded: [name] }));
  const kinds = [...GUARDED_TRAFFIC, OPERATOR, KUEUE, await collector(cluster, name)];
  const stream = { prefix: name, job: { metadata: { namespace: name } }, kinds, perSecond: PER_SECOND };
  const traffic = undo.use(await startTraffic(cluster, { ...stream, longestMs: 2 * longestMs }));
  const running = undo.move();
  return {
    release,
    traffic,
    disturbed: { cluster, release, during: meanwhile(traffic, release) },
    problems: () => problemsOf(cluster, release, traffic),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function withoutApiServer(cluster: Cluster, release: Release): Promise<void> {
  if (cluster.own === undefined) throw new Error('The node is not ours');
  const addresses = await addressesOf(cluster, release, await release.pods());
  await using undo = new AsyncDisposableStack();
  undo.use(await cluster.own.isolatePods(addresses));
  await delay(AWAY_MS);
}

async function problemsOf(cluster: Cluster, release: Release, traffic: Traffic): Promise<string[]> {
  traffic.phase('the end');
  const { sent, right, wrong, lost, slowestMs, perSecond } = await traffic.finish();
  const resources = await resourcesOf(cluster, release);
  say(
    `${release.name}: ${sent} PATCHes, ${perSecond} a second, ${wrong.length} wrong, ${lost.length} lost, slowest ${slowestMs} ms`,
  );
  say(`  ${JSON.stringify(right)}`);
  say(`  pods: ${JSON.stringify(resources)}`);
  for (const each of lost) say(`  lost: ${each}`);
  const isWell = resources.every(({ restarts, peakMemoryMib }) => restarts === 0 && peakMemoryMib < MEMORY_LIMIT_MIB);
  return [...wrong, ...(isWell ? [] : [`${release.name}: pods restarted, or took all of ${MEMORY_LIMIT_MIB} MiB`])];
}

/** Returns the resident memory of the pod that has most, in MiB. */
async function residentMib(cluster: Cluster, release: Release): Promise<number> {
  const metrics = await Promise.all((await release.pods()).map((pod) => metricsOf(cluster, release, pod)));
  const bytes = metrics.map((text) => Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]));
  return Math.round(Math.max(...bytes) / 2 ** 20);
}

function growth(memory: readonly number[]): string[] {
  const third = Math.floor(memory.length / 3);
  const [before, after] = [median(memory.slice(third, -third)), median(memory.slice(-third))];
  say(`memory that lasts: ${memory.join(', ')} MiB; median of the second third ${before}, of the last ${after}`);
  return after <= GROWTH_LIMIT * before ? [] : [`memory grew from ${before} to ${after} MiB`];
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}

function tooFew(sent: number, forMs: number): string[] {
  const wanted = Math.round((PATCHES_PER_MINUTE * forMs) / 60_000);
  say(`PATCHes in all: ${sent}, of at least ${wanted}`);
  return sent >= wanted ? [] : [`only ${sent} PATCHes were sent, of ${wanted}`];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
