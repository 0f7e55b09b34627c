import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../../tools/node/cluster.ts';
import { createAuthority } from '../../tools/certificates.ts';
import { eventually } from '../../tools/eventually.ts';
import { CHART, helm, type HelmMajor } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import type { Finished } from '../../tools/child-process.ts';
import { IMAGE } from '../../tools/node/jobguard-archive.ts';

/** A release of the chart, with the image under test, and its namespace; both end when it is disposed of. */
export interface Release extends AsyncDisposable {
  readonly name: string;
  readonly namespace: string;
  /** `helm upgrade` to values that add to those before it, without waiting for the pods, and by another Helm if need be. */
  upgrade: (values: object, by?: HelmMajor) => Promise<void>;
  /** Runs another command of helm about it: `run('get hooks')` is `helm get hooks NAME`. */
  run: (command: string, ...flags: readonly string[]) => Promise<Finished>;
  /** Waits until the pods are as the Deployment wants them and those before have ended. */
  settled: () => Promise<void>;
  pods: () => Promise<string[]>;
}

const ROLL_OUT_TIMEOUT_MS = 300_000;
const REPLICAS = 2;

export interface InstallOptions {
  /** The namespaces whose jobs it guards, so that those of others may be guarded by another release at the same time. */
  readonly guarded?: readonly string[];
  /** Which Helm manages it. */
  readonly major?: HelmMajor;
}

/** Installs the chart; release and namespace have one name, and so has every object if there is `jobguard` in it. */
export async function install(
  cluster: Cluster,
  name: string,
  values: object = {},
  { guarded = ['default', name], major = 3 }: InstallOptions = {},
): Promise<Release> {
  const flags = ['--kubeconfig', cluster.kubeconfig, '--namespace', name];
  const own = {
    image: { ...IMAGE, pullPolicy: 'IfNotPresent' },
    webhook: { namespaceSelector: inNamespaces(guarded) },
  };
  const helmNow = async (by: HelmMajor, args: readonly string[], input: object): Promise<void> => {
    const options = { stdin: JSON.stringify(input), major: by };
    const { code, stdout, stderr } = await helm([...args, ...flags, '--values', '-'], options);
    if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stdout}${stderr}`);
  };
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    await helm(['uninstall', name, '--ignore-not-found', '--wait', ...flags], { major });
    await cluster.kubectl(['delete', 'namespace', name, '--wait=false']);
  });
  await helmNow(major, ['install', name, CHART, '--create-namespace'], { ...own, ...values });
  await settled(cluster, name);
  const running = undo.move();
  return {
    name,
    namespace: name,
    upgrade: (more, by = major) => helmNow(by, ['upgrade', name, CHART, '--reuse-values'], more),
    run: (command, ...more) => helm([...command.split(' '), name, ...flags, ...more], { major }),
    pods: async () => (await podsOf(cluster, name)).map((pod) => String(at(pod, 'metadata', 'name'))),
    settled: () => settled(cluster, name),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Returns the selector of a webhook for what is in some namespaces. */
export function inNamespaces(names: readonly string[]): object {
  return { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }] };
}

async function podsOf(cluster: Cluster, name: string): Promise<unknown[]> {
  const labels = encodeURIComponent(`app.kubernetes.io/instance=${name},app.kubernetes.io/component=webhook`);
  const { json } = await cluster.request('GET', `/api/v1/namespaces/${name}/pods?labelSelector=${labels}`);
  const items = at(json, 'items');
  return Array.isArray(items) ? items.map((item: unknown) => item) : [];
}

async function settled(cluster: Cluster, name: string): Promise<void> {
  const status = ['--namespace', name, 'rollout', 'status', `deployment/${name}`, '--timeout=180s'];
  const { code, stderr } = await cluster.kubectl(status, { timeoutMs: ROLL_OUT_TIMEOUT_MS });
  if (code !== 0) throw new Error(`${stderr}\n${(await cluster.kubectl(['-n', name, 'describe', 'pods'])).stdout}`);
  await eventually(
    `${REPLICAS} ready pods of ${name}`,
    async () => {
      const pods = await podsOf(cluster, name);
      return pods.length === REPLICAS && pods.every(isReady) ? true : undefined;
    },
    { timeoutMs: ROLL_OUT_TIMEOUT_MS, intervalMs: 500 },
  );
}

/** Tells whether a Pod is ready, and not about to end. */
export function isReady(pod: unknown): boolean {
  const conditions = at(pod, 'status', 'conditions');
  if (!Array.isArray(conditions) || at(pod, 'metadata', 'deletionTimestamp') !== undefined) return false;
  return conditions.some((each) => at(each, 'type') === 'Ready' && at(each, 'status') === 'True');
}

/** A serving certificate that somebody else than the chart makes. */
export interface Serving {
  /** The authority, as PEM. */
  readonly ca: string;
  /** Puts the certificate into the release's Secret. */
  store: () => Promise<void>;
  /** When it ends, in seconds since 1970. */
  readonly notAfter: number;
}

export const SECRET = 'serving-certificate';

/** Issues a certificate of a new authority for a release; `hours` tells one from another. */
export async function issue(cluster: Cluster, name: string, hours: number): Promise<Serving> {
  const authority = await createAuthority();
  const { cert, key } = await authority.issue(name, { toHours: hours }, [`${name}.${name}.svc`]);
  return {
    ca: authority.cert,
    notAfter: Date.now() / 1000 + hours * 3600,
    store: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'jobguard-pair-'));
      await writeFile(join(folder, 'tls.crt'), cert);
      await writeFile(join(folder, 'tls.key'), key, { mode: 0o600 });
      const files = ['--cert', join(folder, 'tls.crt'), '--key', join(folder, 'tls.key')];
      const secret = await cluster.kubectl([
        ...['create', 'secret', 'tls', SECRET, '--namespace', name, ...files, '--dry-run=client', '--output=json'],
      ]);
      await rm(folder, { recursive: true });
      const { code, stderr } = await cluster.kubectl(['apply', '--filename=-'], { stdin: secret.stdout });
      if (code !== 0) throw new Error(stderr);
    },
  };
}

/** Waits until every pod of a release serves a certificate. */
export async function serves(cluster: Cluster, release: Release, { notAfter }: Serving): Promise<void> {
  await eventually(
    'every pod to serve the new certificate',
    async () => {
      const served = await Promise.all((await release.pods()).map((pod) => servedUntil(cluster, release, pod)));
      return served.length === REPLICAS && served.every((each) => Math.abs(each - notAfter) < 60) ? true : undefined;
    },
    { timeoutMs: 180_000, intervalMs: 500 },
  );
}

/** Returns when the certificate that a pod serves ends, in seconds since 1970. */
export async function servedUntil(cluster: Cluster, release: Release, pod: string): Promise<number> {
  const metrics = await metricsOf(cluster, release, pod);
  return Number(/^jobguard_certificate_not_after_timestamp_seconds (\S+)$/m.exec(metrics)?.[1] ?? NaN);
}

/** Reads the metrics of a pod, by way of the API server. */
export async function metricsOf(cluster: Cluster, { namespace }: Release, pod: string): Promise<string> {
  return (await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/metrics`)).text;
}
