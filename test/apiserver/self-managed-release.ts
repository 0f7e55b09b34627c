import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Finished } from '../../tools/child-process.ts';
import type { ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { freePort } from '../../tools/free-port.ts';
import { startFront, type Front } from './front.ts';
import { manifests, type Manifest } from '../../tools/helm.ts';
import { startJobguard, type JobguardProcess } from '../../tools/jobguard-process.ts';
import { at } from '../../tools/json-at.ts';

const NAMESPACE = 'jobguard';
const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/jobguard-certificates`;
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/jobguard.jobguard';

/** The plain manifests of mode selfManaged, with processes of this machine in place of pods. */
export interface SelfManagedRelease extends AsyncDisposable {
  /** Applies the manifests, as Helm does; without the webhook everything was applied before. */
  apply: () => Promise<Finished>;
  /** Starts a replica with the flags of the pods and the rights of their account. */
  startReplica: () => Promise<Replica>;
  /** What the API server reaches the replicas through. It hears of their readiness a little late, as a Service does. */
  readonly service: Front;
  /** What the replicas reach the API server through. */
  readonly wayToApiServer: Front;
  /** Reads the data of the Secret, decoded. */
  secret: () => Promise<Readonly<Record<string, string>>>;
  deleteSecret: () => Promise<void>;
  /** Writes some of the Secret's data. */
  patchSecret: (data: Readonly<Record<string, string>>) => Promise<void>;
  /** Reads what the API server trusts, PEM. */
  caBundle: () => Promise<string>;
  removeCaBundle: () => Promise<void>;
  /** Has the webhook say that it is of a mode, and trust an authority, PEM. */
  setMode: (mode: string, ca: string) => Promise<void>;
}

export interface Replica extends JobguardProcess {
  /** What `/readyz?verbose` says. */
  readonly readyz: () => Promise<string>;
}

export async function prepareRelease(cluster: ControlPlane): Promise<SelfManagedRelease> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-self-managed-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const [service, wayToApiServer] = [undo.use(await startFront()), undo.use(await startFront())];
  const objects = await objectsFor(service.port);
  await apply(
    cluster,
    objects.filter(({ kind }) => kind !== 'ValidatingWebhookConfiguration'),
  );
  wayToApiServer.leadTo([await giveCredentials(cluster, folder)]);
  const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(wayToApiServer.port) };
  const replicas: Replica[] = [];
  undo.use(followReadiness(replicas, service));

  const running = undo.move();
  return {
    apply: () => apply(cluster, objects),
    startReplica: async () => {
      const flags = [...certificateFlags(objects), '--service-account-dir', folder, '--shutdown-delay=1s'];
      const metricsPort = `--metrics-port=${await freePort()}`;
      const jobguard = running.use(await startJobguard([...flags, metricsPort], { env }));
      const readyz = async (): Promise<string> =>
        (await fetch(`http://127.0.0.1:${String(jobguard.metricsPort)}/readyz?verbose`)).text();
      const replica = { ...jobguard, readyz };
      replicas.push(replica);
      return replica;
    },
    service,
    wayToApiServer,
    secret: async () => {
      const data = at((await cluster.request('GET', SECRET)).json, 'data');
      const encoded: readonly [string, unknown][] =
        typeof data === 'object' && data !== null ? Object.entries(data) : [];
      return Object.fromEntries(encoded.map(([key, value]) => [key, decode(value)]));
    },
    deleteSecret: async () => {
      await cluster.request('DELETE', SECRET);
    },
    patchSecret: (data) => {
      const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
      return patch(cluster, SECRET, 'merge-patch', { data: Object.fromEntries(encoded) });
    },
    caBundle: async () => {
      const { json } = await cluster.request('GET', WEBHOOKS);
      return decode(at(json, 'webhooks', 0, 'clientConfig', 'caBundle') ?? '');
    },
    setMode: (mode, ca) =>
      patch(cluster, WEBHOOKS, 'json-patch', [
        { op: 'replace', path: '/metadata/annotations/jobguard.dev~1tls-mode', value: mode },
        { op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: Buffer.from(ca).toString('base64') },
      ]),
    removeCaBundle: () =>
      patch(cluster, WEBHOOKS, 'json-patch', [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }]),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The manifests' objects. Their Service leads to a port of this machine, whose API server has no pods to lead to. */
async function objectsFor(port: number): Promise<Manifest[]> {
  const text = await readFile(join(import.meta.dirname, '../../deploy/self-managed/jobguard.yaml'), 'utf8');
  const spec = { type: 'ExternalName', externalName: '127.0.0.1' };
  return manifests(text.replace('path: /validate\n        port: 443', `path: /validate\n        port: ${port}`)).map(
    (object) => (object.kind === 'Service' ? { ...object, spec } : object),
  );
}

async function apply(cluster: ControlPlane, items: readonly Manifest[]): Promise<Finished> {
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  return cluster.kubectl(['apply', '--server-side', '--field-manager=helm', '--filename=-'], { stdin });
}

/** Writes what kubelet would put into the pods, and returns the port of the API server. */
async function giveCredentials(cluster: ControlPlane, folder: string): Promise<number> {
  const { stdout } = await cluster.kubectl(['config', 'view', '--raw', '--flatten', '--output=json']);
  const server = at(JSON.parse(stdout), 'clusters', 0, 'cluster');
  await writeFile(join(folder, 'ca.crt'), Buffer.from(String(at(server, 'certificate-authority-data')), 'base64'));
  const token = await cluster.kubectl(['create', 'token', 'jobguard', '--namespace', NAMESPACE]);
  if (token.code !== 0) throw new Error(token.stderr);
  await writeFile(join(folder, 'token'), token.stdout);
  return Number(new URL(String(at(server, 'server'))).port);
}

function certificateFlags(objects: readonly Manifest[]): string[] {
  const deployment = objects.find(({ kind }) => kind === 'Deployment');
  const args = at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'args');
  const flags = Array.isArray(args) ? args.map(String) : [];
  return flags.filter((flag) => /^--(self-managed-tls|secret-name|webhook-configuration|service|namespace)/.test(flag));
}

/** Has a Service lead to the replicas that are ready, as kubelet and kube-proxy do. */
function followReadiness(replicas: readonly Replica[], service: Front): AsyncDisposable {
  const state = { isOver: false };
  const following = (async (): Promise<void> => {
    while (!state.isOver) {
      const reports = await Promise.all(replicas.map((replica) => replica.readyz().catch(() => '')));
      const ready = replicas.filter((_replica, index) => reports[index]?.includes('readyz check passed'));
      service.leadTo(ready.map(({ securePort }) => securePort));
      await delay(100); // between two looks, as with kubelet's probes
    }
  })();
  return {
    [Symbol.asyncDispose]: () => {
      state.isOver = true;
      return following;
    },
  };
}

async function patch(cluster: ControlPlane, path: string, type: string, body: unknown): Promise<void> {
  const { status, text } = await cluster.request('PATCH', path, { contentType: `application/${type}+json`, body });
  if (status !== 200) throw new Error(text);
}

function decode(base64: unknown): string {
  return Buffer.from(String(base64), 'base64').toString();
}
