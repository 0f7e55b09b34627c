import { expect, test } from '@jest/globals';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { at } from '../support/json-at.ts';
import { skewedBy, storeFaketime } from './clock.ts';
import { logged, logs, newPod, readyPods } from './pods.ts';
import { install, type Release } from './release.ts';
import { secretOf, serveWhatIsStored, stored, trusted } from './shared-certificate.ts';
import { GUARDED_TRAFFIC, meanwhile, startTraffic } from './traffic.ts';

const NAME = 'jobguard-faults';
const PER_SECOND = 20;
const TIMEOUT_MS = 900_000;
const HOUR_MS = 3_600_000;
const SKEW_HOURS = 3;
/** How exactly times are compared that were read one after another. */
const TOLERANCE_MS = 300_000;

type During = ReturnType<typeof meanwhile>;

/** What becomes of the certificate that replicas issue to themselves. */
export function selfManagedFaults(cluster: () => Cluster): void {
  test(
    'a self-managed certificate outlives a race, a deleted and a truncated Secret, and clocks that are off',
    async () => {
      await using release = await install(cluster(), NAME, { tls: { mode: 'selfManaged' } });
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
  const made = (await logs(cluster, release, await release.pods())).split('"new certificate authority"').length - 1;
  expect([made, (await trusted(cluster, release)).length]).toEqual([1, 1]);
}

async function damages(cluster: Cluster, release: Release, during: During): Promise<void> {
  await during('the Secret is deleted', async () => {
    const { ca: before } = await stored(cluster, release);
    await kubectl(cluster, 'delete', 'secret', secretOf(release));
    await logged(cluster, release, 'the Secret is gone; making it anew');
    await serveWhatIsStored(cluster, release);
    expect(await trusted(cluster, release)).toEqual([(await stored(cluster, release)).ca, before]);
  });
  await during('the Secret is truncated', async () => {
    const before = await stored(cluster, release);
    const half = (text: string): string => Buffer.from(text.slice(0, text.length / 2)).toString('base64');
    const data = { 'ca.key': half(before.caKey), 'tls.crt': half(before.leaf) };
    await kubectl(cluster, 'patch', 'secret', secretOf(release), '--type=merge', '--patch', JSON.stringify({ data }));
    await logged(cluster, release, 'the Secret is damaged; mending it');
    await serveWhatIsStored(cluster, release);
    const expected = [(await stored(cluster, release)).ca, before.ca];
    expect(await trusted(cluster, release)).toEqual(expect.arrayContaining(expected));
  });
}

/** Replaces the pods by some whose clock is hours off, one way and then the other. */
async function clocks(cluster: Cluster, release: Release, during: During): Promise<void> {
  await storeFaketime(cluster, NAME);
  await during(`clocks become ${SKEW_HOURS} h fast`, () => release.upgrade(skewedBy(SKEW_HOURS)));
  await expectSkew(cluster, await release.pods(), SKEW_HOURS);
  const { certificateAgeMs } = cluster;
  if (certificateAgeMs === undefined) {
    process.stdout.write('NOT TRIED: clocks that are slow; how old the certificate of the API server is is unknown\n');
    return;
  }
  await during(`clocks become ${SKEW_HOURS} h slow, and the Secret is deleted while there is one of each`, async () => {
    const fast = await release.pods();
    await release.upgrade(skewedBy(-SKEW_HOURS));
    const slow = await newPod(release, fast);
    await expectSkew(cluster, [slow], -SKEW_HOURS);
    await kubectl(cluster, 'delete', 'secret', secretOf(release));
    const { validFromDate } = await serveWhatIsStored(cluster, release);
    const issuedAt = validFromDate.getTime() + HOUR_MS;
    expect(Math.abs(Date.now() - issuedAt)).toBeLessThan(TOLERANCE_MS);
  });
  await expectSkew(cluster, await release.pods(), -SKEW_HOURS);
  await serveWhatIsStored(cluster, release);
  const before = -2 * (certificateAgeMs / HOUR_MS);
  await during(`a clock is ${-before} h slow, before the API server's certificate`, async () => {
    const pods = await release.pods();
    await release.upgrade(skewedBy(before));
    const started = await newPod(release, pods);
    await logged(cluster, release, 'certificate is not yet valid', [started]);
    expect(await readyPods(cluster, release, [...pods, started])).toEqual(pods);
    expect(await release.run('rollback')).toMatchObject({ code: 0 });
  });
}

/** Waits until each pod has logged that its clock is off; it should be by so much, as the line is dated and as it says. */
async function expectSkew(cluster: Cluster, pods: readonly string[], hours: number): Promise<void> {
  for (const pod of pods) {
    const line = await eventually(`${pod} to notice its clock`, async () => {
      const { stdout } = await cluster.kubectl(['--namespace', NAME, 'logs', pod]);
      return stdout.split('\n').find((each) => each.includes('this clock is off'));
    });
    const event: unknown = JSON.parse(line);
    const byOwnTime = Date.parse(String(at(event, 'time'))) - Date.now();
    const byApiServer = -1000 * Number(at(event, 'offsetSeconds'));
    for (const skewMs of [byOwnTime, byApiServer]) {
      expect(Math.abs(skewMs - hours * HOUR_MS)).toBeLessThan(TOLERANCE_MS);
    }
  }
}

async function kubectl(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(['--namespace', NAME, ...args]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}
