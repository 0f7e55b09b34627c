import { X509Certificate } from 'node:crypto';

import { pino } from 'pino';

import type { CertificateSource } from '../../src/tls/certificate-reload.ts';
import type { KeyPair } from '../../src/tls/certificate.ts';
import { ApiError, type ApiAnswer, type ApiClient, type ApiRequest } from '../../src/tls/self-managed/api-client.ts';
import { createApiClock, type LocalClock } from '../../src/tls/self-managed/api-clock.ts';
import { certificatesOf } from '../../src/tls/pem.ts';
import { createRenewal } from '../../src/tls/self-managed/renewal.ts';
import { createSecretStore } from '../../src/tls/self-managed/secret-store.ts';
import { createWebhookTrust } from '../../src/tls/self-managed/webhook-trust.ts';
import { at } from '../../tools/json-at.ts';

const SECRET = '/api/v1/namespaces/ns/secrets/tls';
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/guard';
const SERVICE = { name: 'jobguard', namespace: 'ns' };

/** What an API server that holds one Secret and one ValidatingWebhookConfiguration does for replicas of jobguard. */
export interface SimulatedCluster {
  /** The API server's clock. */
  readonly clock: { time: Date };
  /** Whether the API server answers. */
  isAway: boolean;
  /** The Secret's data, decoded; undefined: there is none. */
  secret: Record<string, string> | undefined;
  /** PEM; what the API server trusts. */
  caBundle: string;
  /** Those of the ValidatingWebhookConfiguration. */
  annotations: Readonly<Record<string, string>> | undefined;
  /** Every request that was answered, as `METHOD name status`. */
  readonly requests: string[];
  /** Is asked before each request is answered, so that a test can have something else happen first. */
  before: (request: ApiRequest) => Promise<void>;
  /** Starts a replica whose own clock is off. */
  replica: (options?: { readonly clockSkewMs?: number }) => Replica;
  /** Lets time go by. */
  pass: (ms: number) => void;
}

/** One replica, whose polls the test makes. */
export interface Replica {
  /** How far its own clock is ahead of the API server's. */
  readonly clock: { skewMs: number };
  /** Polls once; returns what went wrong. */
  poll: () => Promise<string | undefined>;
  readonly served: () => KeyPair | undefined;
  /** What keeps it from being ready. */
  readonly problems: () => string[];
  /** The messages that it logged. */
  readonly log: readonly string[];
  readonly source: CertificateSource;
}

export function simulateCluster(start = new Date('2026-01-01T00:00:00Z')): SimulatedCluster {
  let version = 1;
  const versions = { secret: 1, webhooks: 1 };
  const clock = { time: start };
  let elapsedMs = 0;

  const answer = (status: number, body: unknown): ApiAnswer => ({ status, body, date: clock.time });
  const secretObject = (): unknown => ({
    kind: 'Secret',
    metadata: { name: 'tls', namespace: 'ns', resourceVersion: String(versions.secret), labels: { kept: 'yes' } },
    type: 'Opaque',
    ...(Object.keys(cluster.secret ?? {}).length === 0 ? {} : { data: mapValues(cluster.secret ?? {}, encode) }),
  });
  const onSecret = ({ method, body }: ApiRequest): ApiAnswer => {
    if (method === 'PATCH') {
      cluster.secret ??= {};
      versions.secret = version += 1;
      return answer(200, secretObject());
    }
    if (cluster.secret === undefined) return answer(404, {});
    if (method === 'GET') return answer(200, secretObject());
    if (at(body, 'metadata', 'resourceVersion') !== String(versions.secret)) return answer(409, {});
    if (at(body, 'metadata', 'labels', 'kept') !== 'yes') throw new Error('the labels were lost');
    cluster.secret = mapValues(at(body, 'data') as Record<string, string>, decode);
    versions.secret = version += 1;
    return answer(200, secretObject());
  };
  const onWebhooks = ({ method, body }: ApiRequest): ApiAnswer => {
    if (method === 'PATCH') {
      if (at(body, 'metadata', 'resourceVersion') !== String(versions.webhooks)) return answer(409, {});
      cluster.caBundle = decode(String(at(body, 'webhooks', 0, 'clientConfig', 'caBundle')));
      versions.webhooks = version += 1;
    }
    return answer(200, {
      metadata: { resourceVersion: String(versions.webhooks), annotations: cluster.annotations },
      webhooks: [
        { name: 'jobs.example', clientConfig: { service: SERVICE, caBundle: encode(cluster.caBundle) } },
        { name: 'other.example', clientConfig: { url: 'https://other.example' } },
      ],
    });
  };
  const client: ApiClient = async (request) => {
    await cluster.before(request);
    if (cluster.isAway) throw new ApiError('the API server is away');
    const path = request.path.replace(/\?.*/, '');
    const given = path === SECRET ? onSecret(request) : path === WEBHOOKS ? onWebhooks(request) : answer(404, {});
    cluster.requests.push(`${request.method} ${path.split('/').at(-1) ?? ''} ${given.status}`);
    return given;
  };

  const cluster: SimulatedCluster = {
    clock,
    isAway: false,
    secret: {},
    caBundle: '',
    annotations: { 'jobguard.dev/tls-mode': 'selfManaged' },
    requests: [],
    before: () => Promise.resolve(),
    replica: ({ clockSkewMs = 0 } = {}) => {
      const own = { skewMs: clockSkewMs };
      const local = { now: () => new Date(clock.time.getTime() + own.skewMs), elapsedMs: () => elapsedMs };
      return { clock: own, ...startReplica(client, local) };
    },
    pass: (ms) => {
      elapsedMs += ms;
      clock.time = new Date(clock.time.getTime() + ms);
    },
  };
  return cluster;
}

function startReplica(client: ApiClient, local: LocalClock): Omit<Replica, 'clock'> {
  const log: string[] = [];
  const logger = pino(
    { base: null, timestamp: false },
    { write: (line) => log.push(String(at(JSON.parse(line), 'msg'))) },
  );
  const apiClock = createApiClock(client, local, logger);
  const source = createRenewal({
    store: createSecretStore(apiClock.client, 'ns', 'tls'),
    trust: createWebhookTrust({
      client: apiClock.client,
      webhookConfiguration: 'guard',
      service: SERVICE.name,
      namespace: SERVICE.namespace,
    }),
    dnsNames: ['jobguard.ns.svc'],
    now: () => apiClock.now(),
    random: () => 0.5,
    log: logger,
  });
  let served: KeyPair | undefined;
  return {
    source,
    log,
    served: () => served,
    problems: () => source.checks.flatMap(({ problem }) => problem() ?? []),
    poll: async () => {
      try {
        served = await source.renew?.();
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
}

/** Whether the API server would accept what a replica serves. */
export function isTrusted({ caBundle, clock }: SimulatedCluster, pair: KeyPair): boolean {
  const leaf = new X509Certificate(pair.cert);
  const isValid = (cert: X509Certificate): boolean =>
    cert.validFromDate <= clock.time && clock.time <= cert.validToDate;
  return (
    isValid(leaf) &&
    leaf.checkHost('jobguard.ns.svc') !== undefined &&
    certificatesOf(caBundle)
      .map((pem) => new X509Certificate(pem))
      .some((ca) => isValid(ca) && leaf.checkIssued(ca) && leaf.verify(ca.publicKey))
  );
}

function mapValues(map: Record<string, string>, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
