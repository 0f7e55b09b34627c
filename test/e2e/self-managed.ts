import { expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../tools/node/cluster.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { setRight, skewMs, storeClocks, withClock } from './clock.ts';
import { logged, logs, newPod, readyPods } from './pods.ts';
import { install, type Release } from './release.ts';
import { deleteSecret, secretOf, serveWhatIsStored, stored, truncateSecret, trusted } from './shared-certificate.ts';
import { GUARDED_TRAFFIC, meanwhile, startTraffic, type During } from './traffic.ts';

const NAME = 'jobguard-faults';
const PER_SECOND = 20;
const TIMEOUT_MS = 900_000;
const HOUR_MS = 3_600_000;
const SKEW_HOURS = 3;
/** How exactly times are compared that were read one after another. */
const TOLERANCE_MS = 300_000;
/** Longer than a pod that cannot serve is called ready. */
const UNREADY_MS = 15_000;

/** What becomes of the certificate that replicas issue to themselves. */
export function selfManagedFaults(cluster: () => Cluster): void {
  test(
    'a self-managed certificate outlives a race, a deleted and a truncated Secret, and clocks that are off',
    async () => {
      // Helm 4 applies on the server's side, where fields have owners; restarts.ts has Helm 3.
      await using release = await install(cluster(), NAME, { tls: { mode: 'selfManaged' } }, { major: 4 });
      await using traffic = await startTraffic(cluster(), {
        prefix: NAME,
        kinds: GUARDED_TRAFFIC,
        perSecond: PER_SECOND,
      });
      const during = meanwhile(traffic, release);
      await race(cluster(), release, during);
      await damages(cluster(), release, during);
      await clocks(cluster(), release, during);
      const { sent, right, wrong } = await traffic.finish();
      process.stdout.write(
        `faults of selfManaged: ${sent} PATCHes, ${JSON.stringify(right)}, ${wrong.length} failed\n${wrong.slice(0, 20).join('\n')}\n`,
      );
      expect(wrong).toEqual([]);
    },
    TIMEOUT_MS,
  );
}

async function race(cluster: Cluster, release: Release, during: During): Promise<void> {
  await during('two replicas race', async () => {
    await serveWhatIsStored(cluster, release);
  });
  const made = (await logs(cluster, release, await release.pods())).split('"certificate authority created"').length - 1;
  expect([made, (await trusted(cluster, release)).length]).toEqual([1, 1]);
}

async function damages(cluster: Cluster, release: Release, during: During): Promise<void> {
  await during('the Secret is deleted', async () => {
    const { ca: before } = await stored(cluster, release);
    await deleteSecret(cluster, release);
    await logged(cluster, release, 'Secret not found; creating it');
    expect(await trusted(cluster, release)).toEqual([(await stored(cluster, release)).ca, before]);
  });
  await during('the Secret is truncated', async () => {
    const before = await stored(cluster, release);
    await truncateSecret(cluster, release);
    await logged(cluster, release, 'Secret is damaged; repairing it');
    const expected = [(await stored(cluster, release)).ca, before.ca];
    expect(await trusted(cluster, release)).toEqual(expect.arrayContaining(expected));
  });
}

/** Replaces the pods by some whose clock is hours off, one way and then the other. */
async function clocks(cluster: Cluster, release: Release, during: During): Promise<void> {
  const { own } = cluster;
  const ageHours = (own?.certificateAgeMs ?? 0) / HOUR_MS;
  await storeClocks(cluster, NAME, { slow: -SKEW_HOURS, fast: SKEW_HOURS, ancient: -2 * ageHours });
  if (own === undefined) {
    process.stdout.write('NOT TRIED: clocks that are slow or set right, for these take a node that was started here\n');
    return fastClocks(cluster, release, during);
  }
  await during(`clocks become ${SKEW_HOURS} h slow`, () => release.upgrade(withClock('slow')));
  await expectSkew(cluster, await release.pods(), -SKEW_HOURS);
  await fastClocks(cluster, release, during);
  await ancientClock(cluster, release, during);
  await during('clocks are set right while the API server is away', async () => {
    await using undo = new AsyncDisposableStack();
    undo.use(await own.isolatePods());
    const pods = await release.pods();
    for (const pod of pods) await clockToBe(cluster, pod, SKEW_HOURS);
    await setRight(cluster, NAME, 'fast');
    for (const pod of pods) await clockToBe(cluster, pod, 0);
    await delay(UNREADY_MS);
    expect(await readyPods(cluster, release, pods)).toEqual(pods);
  });
}

/** Meanwhile the Secret is deleted: whoever makes it anew, the certificate counts by the API server's clock. */
async function fastClocks(cluster: Cluster, release: Release, during: During): Promise<void> {
  await during(`clocks become ${SKEW_HOURS} h fast, and the Secret is deleted half-way`, async () => {
    const before = await release.pods();
    await release.upgrade(withClock('fast'));
    const fast = await newPod(release, before);
    await expectSkew(cluster, [fast], SKEW_HOURS);
    await kubectl(cluster, 'delete', 'secret', secretOf(release));
    await logged(cluster, release, 'Secret not found; creating it');
    const { validFromDate } = await serveWhatIsStored(cluster, release);
    const issuedAt = validFromDate.getTime() + HOUR_MS;
    expect(Math.abs(Date.now() - issuedAt)).toBeLessThan(TOLERANCE_MS);
  });
  await expectSkew(cluster, await release.pods(), SKEW_HOURS);
  await serveWhatIsStored(cluster, release);
}

/** One pod takes it to be before the API server's certificate was made: it cannot ask, says so, and the others serve on. */
async function ancientClock(cluster: Cluster, release: Release, during: During): Promise<void> {
  await during("a clock is slower than the API server's certificate is old", async () => {
    const before = await release.pods();
    await release.upgrade(withClock('ancient'));
    const started = await newPod(release, before);
    await logged(cluster, release, 'certificate is not yet valid', [started]);
    expect(await readyPods(cluster, release, [...before, started])).toEqual(before);
    expect(await release.run('rollback')).toMatchObject({ code: 0 });
  });
}

/** Waits until each pod has logged that its clock is off; it should be by so much, as the line is dated and as it says. */
async function expectSkew(cluster: Cluster, pods: readonly string[], hours: number): Promise<void> {
  for (const pod of pods) {
    const line = await eventually(`${pod} to notice its clock`, async () => {
      const { stdout } = await cluster.kubectl(['--namespace', NAME, 'logs', pod]);
      return stdout.split('\n').find((each) => each.includes('local clock is off'));
    });
    const event: unknown = JSON.parse(line);
    const byOwnTime = Date.parse(String(at(event, 'time'))) - Date.now();
    const byApiServer = -1000 * Number(at(event, 'offsetSeconds'));
    for (const found of [byOwnTime, byApiServer]) {
      expect(Math.abs(found - hours * HOUR_MS)).toBeLessThan(TOLERANCE_MS);
    }
  }
}

async function clockToBe(cluster: Cluster, pod: string, hours: number): Promise<void> {
  await eventually(
    `the clock of ${pod} to be ${hours} h fast`,
    async () => Math.abs((await skewMs(cluster, NAME, pod)) - hours * HOUR_MS) < TOLERANCE_MS || undefined,
    { timeoutMs: 90_000, intervalMs: 500 },
  );
}

async function kubectl(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(['--namespace', NAME, ...args]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}
