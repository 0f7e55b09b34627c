import { expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { at } from '../support/json-at.ts';
import { install, servedUntil, type Release } from './release.ts';
import { GUARDED_TRAFFIC, meanwhile, startTraffic } from './traffic.ts';

const NAME = 'jobguard-faults';
const SECRET = `${NAME}-certificates`;
const PER_SECOND = 20;
/** Shorter than an outage that one would notice; how long it is makes no difference to replicas that serve on. */
const AWAY_MS = 30_000;
const TIMEOUT_MS = 900_000;

/** What becomes of the certificate that replicas issue to themselves. */
export function selfManagedFaults(cluster: () => Cluster): void {
  test(
    'a self-managed certificate outlives a race, a deleted and a truncated Secret, and an API server that is away',
    async () => {
      await using release = await install(cluster(), NAME, { tls: { mode: 'selfManaged' } });
      await using traffic = await startTraffic(cluster(), {
        prefix: NAME,
        kinds: GUARDED_TRAFFIC,
        perSecond: PER_SECOND,
      });
      const during = meanwhile(traffic, release);

      await during('two replicas race', () => serveWhatIsStored(cluster(), release));
      expect(await authoritiesMade(cluster(), release)).toBe(1);
      expect((await trusted(cluster())).length).toBe(1);

      await during('the Secret is deleted', async () => {
        const { ca: before } = await stored(cluster());
        await kubectl(cluster(), 'delete', 'secret', SECRET);
        await logged(cluster(), release, 'the Secret is gone; making it anew');
        await serveWhatIsStored(cluster(), release);
        expect(await trusted(cluster())).toEqual([(await stored(cluster())).ca, before]);
      });

      await during('the Secret is truncated', async () => {
        const before = await stored(cluster());
        const half = (text: string): string => Buffer.from(text.slice(0, text.length / 2)).toString('base64');
        const data = { 'ca.key': half(before.caKey), 'tls.crt': half(before.leaf) };
        await kubectl(cluster(), 'patch', 'secret', SECRET, '--type=merge', '--patch', JSON.stringify({ data }));
        await logged(cluster(), release, 'the Secret is damaged; mending it');
        await serveWhatIsStored(cluster(), release);
        expect(await trusted(cluster())).toEqual(expect.arrayContaining([(await stored(cluster())).ca, before.ca]));
      });

      await during(`the API server is away for ${AWAY_MS / 1000} s, and a roll-out is under way`, () =>
        away(cluster(), release),
      );

      const { sent, right, wrong } = await traffic.finish();
      process.stdout.write(
        `faults of selfManaged: ${sent} PATCHes, ${JSON.stringify(right)}, ${wrong.length} failed\n${wrong.slice(0, 20).join('\n')}\n`,
      );
      expect(wrong).toEqual([]);
    },
    TIMEOUT_MS,
  );
}

/** Cuts the pods off, and starts one that has no certificate yet: it says why it is not ready, and the others serve on. */
async function away(cluster: Cluster, release: Release): Promise<void> {
  if (cluster.isolatePods === undefined) {
    process.stdout.write('NOT TRIED: an API server that is away, for this takes a node that was started here\n');
    return;
  }
  const before = await release.pods();
  {
    await using undo = new AsyncDisposableStack();
    undo.use(await cluster.isolatePods());
    const endsAt = Date.now() + AWAY_MS;
    await kubectl(cluster, 'rollout', 'restart', 'deployment');
    const started = await eventually('a new pod', async () =>
      (await release.pods()).find((pod) => !before.includes(pod)),
    );
    await logged(cluster, release, 'cannot be asked', [started]);
    await delay(endsAt - Date.now());
    expect(await isReady(cluster, started)).toBe('False');
  }
  await release.settled();
  await serveWhatIsStored(cluster, release);
}

async function isReady(cluster: Cluster, pod: string): Promise<unknown> {
  const { json } = await cluster.request('GET', `/api/v1/namespaces/${NAME}/pods/${pod}`);
  const conditions = at(json, 'status', 'conditions');
  return at(Array.isArray(conditions) ? conditions.find((each) => at(each, 'type') === 'Ready') : undefined, 'status');
}

async function kubectl(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(['--namespace', NAME, ...args]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Waits until a pod has logged something. */
async function logged(cluster: Cluster, release: Release, text: string, pods?: readonly string[]): Promise<void> {
  await eventually(
    `a log line: ${text}`,
    async () => ((await logs(cluster, pods ?? (await release.pods()))).includes(text) ? true : undefined),
    { timeoutMs: 120_000, intervalMs: 1000 },
  );
}

async function logs(cluster: Cluster, pods: readonly string[]): Promise<string> {
  return (await Promise.all(pods.map(async (pod) => (await cluster.kubectl(['-n', NAME, 'logs', pod])).stdout))).join(
    '',
  );
}

async function authoritiesMade(cluster: Cluster, release: Release): Promise<number> {
  return (await logs(cluster, await release.pods())).split('"new certificate authority"').length - 1;
}

/** What replicas share; `ca` and `leaf` are PEM. */
async function stored(cluster: Cluster): Promise<{ ca: string; caKey: string; leaf: string }> {
  const { json } = await cluster.request('GET', `/api/v1/namespaces/${NAME}/secrets/${SECRET}`);
  const value = (key: string): string => decoded(at(json, 'data', key));
  return { ca: value('ca.crt').trim(), caKey: value('ca.key'), leaf: value('tls.crt') };
}

/** Returns the authorities that the API server trusts, PEM, newest first. */
async function trusted(cluster: Cluster): Promise<string[]> {
  const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const { json } = await cluster.request('GET', `${configurations}/${NAME}.${NAME}`);
  const pem = decoded(at(json, 'webhooks', 0, 'clientConfig', 'caBundle'));
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** Waits until every pod serves the certificate that the Secret holds, and its authority is trusted. */
async function serveWhatIsStored(cluster: Cluster, release: Release): Promise<void> {
  await eventually(
    'every pod to serve what the Secret holds',
    async () => {
      const { ca, leaf } = await stored(cluster);
      if (!isWhole(leaf) || !(await trusted(cluster)).includes(ca)) return undefined;
      const notAfter = Date.parse(new X509Certificate(leaf).validTo) / 1000;
      const served = await Promise.all((await release.pods()).map((pod) => servedUntil(cluster, release, pod)));
      return served.every((each) => each === notAfter) ? true : undefined;
    },
    { timeoutMs: 180_000, intervalMs: 1000 },
  );
}

function decoded(base64: unknown): string {
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString() : '';
}

function isWhole(pem: string): boolean {
  return pem.includes('-----END CERTIFICATE-----');
}
