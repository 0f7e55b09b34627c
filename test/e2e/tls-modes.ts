import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collection, create, jobNamed, TF_JOB } from '../apiserver/jobs.ts';
import type { Cluster } from '../../tools/node/cluster.ts';
import { eventually } from '../../tools/eventually.ts';
import { CHART, HELM_MAJORS, type HelmMajor } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { startCertManager } from './cert-manager.ts';
import { install, issue, SECRET, servedUntil, type Release } from './release.ts';
import { trusted } from './shared-certificate.ts';
import { ALLOWED_TRAFFIC, startTraffic } from './traffic.ts';

const TIMEOUT_MS = 600_000;
const PER_SECOND = 40;

/** What a mode needs beside the chart: it is there as long as what `prepare` returns is. */
interface Preparation {
  readonly values: object;
  readonly needs: AsyncDisposable;
}

const NOTHING: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };

const PREPARATIONS: Readonly<Record<string, (cluster: Cluster, name: string) => Promise<Preparation>>> = {
  helm: () => Promise.resolve({ values: {}, needs: NOTHING }),
  selfManaged: () => Promise.resolve({ values: {}, needs: NOTHING }),
  certManager: async (cluster) => ({ values: {}, needs: await startCertManager(cluster) }),
  existingSecret: async (cluster, name) => {
    const { ca, store } = await issue(cluster, name, 100);
    await cluster.kubectl(['create', 'namespace', name]);
    await store();
    return { values: { existingSecret: { name: SECRET, caBundle: ca } }, needs: NOTHING };
  },
};

/** The modes that the chart knows. */
function modes(): string[] {
  const schema: unknown = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'));
  const known = at(schema, 'properties', 'tls', 'properties', 'mode', 'enum');
  if (!Array.isArray(known)) throw new Error('The chart says not which TLS modes there are');
  return known.map(String);
}

/** Each Helm installs every other mode; self-managed.ts has the first one, and the other Helm. */
function installations(): { mode: string; major: HelmMajor }[] {
  return modes().map((mode, index) => ({ mode, major: index % 2 === 0 ? 3 : 4 }));
}

/** Each mode, from its installation to its end. */
export function tlsModes(cluster: () => Cluster): void {
  test.each(installations())(
    'tls.mode $mode by Helm $major: guards with two replicas, passes helm test, outlives upgrades, and is gone without a gap',
    async ({ mode, major }) => {
      const name = `jobguard-${mode.toLowerCase()}`;
      const prepare = PREPARATIONS[mode];
      if (prepare === undefined) throw new Error(`Nobody has said how to install tls.mode ${mode}`);
      const startedAt = performance.now();
      const { values, needs } = await prepare(cluster(), name);
      await using undo = new AsyncDisposableStack();
      undo.use(needs);
      await using release = await install(cluster(), name, { tls: { mode, ...values } }, { major });
      await guards(cluster(), name);
      const guardedS = (performance.now() - startedAt) / 1000;
      const tested = await release.run('test', '--timeout=3m');
      expect({ ...tested, code: tested.code }).toMatchObject({ code: 0 });
      await outlivesUpgrades(cluster(), release);

      const { sent, wrong } = await uninstall(cluster(), release);
      process.stdout.write(
        `tls.mode ${mode} by Helm ${major}: guards after ${guardedS.toFixed(0)} s; ${sent} updates while it went, ${wrong.length} failed\n`,
      );
      expect(wrong).toEqual([]);
      expect(await left(cluster(), name)).toEqual([]);
    },
    TIMEOUT_MS,
  );
}

/** Sees an update allowed and another one denied, through kubectl. */
async function guards(cluster: Cluster, name: string): Promise<void> {
  await create(cluster, TF_JOB, jobNamed(name, TF_JOB));
  const patch = async (change: object): ReturnType<Cluster['kubectl']> =>
    cluster.kubectl(['patch', 'tfjob', name, '--type=merge', '--patch', JSON.stringify(change)]);
  const denied = await eventually(
    'a denial',
    async () => {
      const refused = await patch({ spec: { tfReplicaSpecs: { Worker: { replicas: 5 } } } });
      return refused.stderr.includes('denied the request') ? refused : undefined;
    },
    { timeoutMs: 60_000, intervalMs: 500 },
  );
  expect(denied).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      `tfjobs.kubeflow.org "${name}" may not be updated: spec.tfReplicaSpecs[Worker].replicas (2 → `,
    ),
  });
  expect(await patch({ spec: { runPolicy: { ttlSecondsAfterFinished: 60 } } })).toMatchObject({ code: 0 });
  expect(await patch({ metadata: { labels: { team: 'vision' } } })).toMatchObject({ code: 0 });
  await cluster.request('DELETE', `${collection(TF_JOB)}/${name}`);
}

/** Upgrades a release by each Helm in turn: neither the certificate nor what the API server trusts changes. */
async function outlivesUpgrades(cluster: Cluster, release: Release): Promise<void> {
  const certificates = async (): Promise<unknown[]> => [
    await trusted(cluster, release),
    ...(await Promise.all((await release.pods()).map((pod) => servedUntil(cluster, release, pod)))),
  ];
  const before = await certificates();
  expect(before).toHaveLength(3);
  for (const by of HELM_MAJORS) {
    await release.upgrade({}, by);
    await release.settled();
    expect(await certificates()).toEqual(before);
  }
}

/** Uninstalls a release while updates that it allows go on. */
async function uninstall(cluster: Cluster, release: Release): Promise<{ sent: number; wrong: readonly string[] }> {
  // Whether an update falls between Service and webhook is chance; that the webhook goes first is not.
  expect((await release.run('get hooks')).stdout).toContain('helm.sh/hook: pre-delete');
  const stream = { prefix: release.name, kinds: ALLOWED_TRAFFIC, perSecond: PER_SECOND };
  await using traffic = await startTraffic(cluster, stream);
  await eventually('traffic', () => Promise.resolve(traffic.tally().sent >= PER_SECOND || undefined));
  traffic.phase('helm uninstall');
  expect(await release.run('uninstall', '--wait', '--timeout=3m')).toMatchObject({ code: 0 });
  traffic.phase('afterwards');
  return await traffic.finish(traffic.tally().sent + PER_SECOND);
}

/** Returns what is left with the label of a release, once the pods have gone. */
async function left(cluster: Cluster, name: string): Promise<string[]> {
  const kinds = await cluster.kubectl(['api-resources', '--verbs=list', '--output=name']);
  const all = kinds.stdout.trim().split('\n').join(',');
  const look = async (): Promise<string[]> => {
    const selector = `--selector=app.kubernetes.io/instance=${name}`;
    const { code, stdout, stderr } = await cluster.kubectl(['get', all, '--all-namespaces', selector, '--output=name']);
    if (code !== 0) throw new Error(stderr);
    return stdout.split('\n').filter((line) => line !== '');
  };
  let found = await look();
  await eventually('the pods to go', async () => (found = await look()).length === 0 || undefined, {
    timeoutMs: 60_000,
    intervalMs: 1000,
  }).catch(() => undefined);
  return found;
}
