import { expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../tools/node/cluster.ts';
import { eventually } from '../../tools/eventually.ts';
import { addressesOf, logged, logs, newPod, readyPods } from './pods.ts';
import { install, metricsOf, type Release } from './release.ts';
import { resourcesOf } from './resources.ts';
import { serveWhatIsStored } from './shared-certificate.ts';
import { GUARDED_TRAFFIC, startTraffic, type Traffic } from './traffic.ts';

const NAME = 'jobguard-away';
const AWAY_MS = 600_000;
const PER_SECOND = 2;
/** Longer than it takes a replica to ask in vain: it waits ten seconds for an answer, and two or so until it asks again. */
const ATTEMPT_MS = 20_000;
const TIMEOUT_MS = 300_000;
const UNREACHABLE = 'cannot be reached';

/** A release whose pods alone cannot reach the API server; the way is free again when it is disposed of. */
interface Outage extends AsyncDisposable {
  readonly since: number;
  readonly release: Release;
  readonly traffic: Traffic;
  /** Those that were there before. */
  readonly old: readonly string[];
  /** The one that was started meanwhile. */
  readonly started: string;
  /** Frees the way. */
  end: () => Promise<void>;
}

/** An API server that is away for ten minutes, in which other tests may go on. */
export function apiServerAway(cluster: () => Cluster): { begins: () => void; ends: () => void } {
  let outage: Outage | undefined;
  return {
    begins: () => {
      test(
        'begins: a pod that is started says why it is not ready',
        async () => {
          outage = await begin(cluster());
        },
        TIMEOUT_MS,
      );
    },
    ends: () => {
      test(
        'ends: the others have served on, no update has failed, and the new one serves, too',
        async () => {
          if (cluster().own === undefined) return;
          if (outage === undefined) throw new Error('It has not begun');
          await using ending = outage;
          await expectServedOn(cluster(), ending);
        },
        AWAY_MS + TIMEOUT_MS,
      );
    },
  };
}

/** Cuts the pods of a release off, and starts one more, which has no certificate yet. */
async function begin(cluster: Cluster): Promise<Outage | undefined> {
  if (cluster.own === undefined) {
    process.stdout.write('NOT TRIED: an API server that is away, for this takes a node that was started here\n');
    return undefined;
  }
  await using undo = new AsyncDisposableStack();
  const release = undo.use(await install(cluster, NAME, { tls: { mode: 'selfManaged' } }, { guarded: [NAME] }));
  // Suspended, or the operator, when it is tried, would start them.
  const job = { metadata: { namespace: NAME }, spec: { runPolicy: { suspend: true } } };
  const stream = { prefix: NAME, job, kinds: GUARDED_TRAFFIC, perSecond: PER_SECOND };
  const traffic = undo.use(await startTraffic(cluster, stream));
  const old = await release.pods();
  traffic.phase('the API server is away');
  const since = Date.now();
  // Whoever is new has no address yet by which to be cut off.
  const everybody = undo.use(await cluster.own.isolatePods());
  await cluster.kubectl(['--namespace', NAME, 'scale', `deployment/${NAME}`, `--replicas=${old.length + 1}`]);
  const started = await newPod(release, old);
  const theirs = undo.use(await cluster.own.isolatePods(await addressesOf(cluster, release, [...old, started])));
  await everybody[Symbol.asyncDispose]();
  await logged(cluster, release, UNREACHABLE, [started]);
  const held = undo.move();
  return {
    ...{ since, release, traffic, old, started },
    end: async () => theirs[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function expectServedOn(cluster: Cluster, outage: Outage): Promise<void> {
  const { since, release, traffic, old, started, end } = outage;
  // How long the outage lasts is what is tested.
  await delay(Math.max(0, since + AWAY_MS - Date.now()));
  const pods = [...old, started];
  const attempts = await Promise.all(pods.map((pod) => failedAttempts(cluster, release, pod)));
  expect(Math.min(...attempts)).toBeGreaterThan(AWAY_MS / ATTEMPT_MS);
  for (const pod of pods) expect(await logs(cluster, release, [pod])).toContain(UNREACHABLE);
  expect(await readyPods(cluster, release, pods)).toEqual(old);
  const awayS = (Date.now() - since) / 1000;

  traffic.phase('the API server is back');
  await end();
  const backAt = performance.now();
  await eventually('every pod to be ready', async () => areReady(cluster, release, pods), { timeoutMs: 120_000 });
  await serveWhatIsStored(cluster, release);
  const readyS = (performance.now() - backAt) / 1000;
  const { sent, right, wrong } = await traffic.finish();
  process.stdout.write(
    `the API server away for ${awayS.toFixed(0)} s, asked in vain ${attempts.join(', ')} times; all pods ready ${readyS.toFixed(0)} s after\n` +
      `  ${sent} PATCHes, ${JSON.stringify(right)}, ${wrong.length} failed\n${wrong.slice(0, 20).join('\n')}\n`,
  );
  expect(wrong).toEqual([]);
  expect(sent).toBeGreaterThan(0.9 * PER_SECOND * awayS);
  expect((await resourcesOf(cluster, release)).map(({ restarts }) => restarts)).toEqual(pods.map(() => 0));
}

async function areReady(cluster: Cluster, release: Release, pods: readonly string[]): Promise<true | undefined> {
  return (await readyPods(cluster, release, pods)).length === pods.length || undefined;
}

/** How often a pod has looked for its certificate and could not. */
async function failedAttempts(cluster: Cluster, release: Release, pod: string): Promise<number> {
  const metrics = await metricsOf(cluster, release, pod);
  return Number(/^jobguard_certificate_reloads_total\{result="failure"\} (\S+)$/m.exec(metrics)?.[1]);
}
