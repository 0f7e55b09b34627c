import type { CertificateSource } from '../certificate-reload.ts';
import type { Logger } from '../../telemetry/log.ts';
import { createApiClient } from './api-client.ts';
import { createApiClock } from './api-clock.ts';
import { createRenewal } from './renewal.ts';
import { createSecretStore } from './secret-store.ts';
import { createWebhookTrust } from './webhook-trust.ts';

/** What replicas need to know to issue a certificate to themselves. */
export interface SelfManagedTls {
  /** The Secret that they share their state in. */
  readonly secretName: string;
  /** The ValidatingWebhookConfiguration whose caBundle they write. */
  readonly webhookConfiguration: string;
  /** The Service that the API server calls. */
  readonly service: string;
  /** Of the Secret and of the Service. */
  readonly namespace: string;
  /** Holds the token and the API server's ca.crt. */
  readonly serviceAccountFolder: string;
}

/** Creates the source of a self-managed certificate within a cluster whose API server is at `apiServer`. */
export function selfManagedCertificate(tls: SelfManagedTls, apiServer: URL, log: Logger): CertificateSource {
  const { secretName, webhookConfiguration, service, namespace } = tls;
  const local = { now: () => new Date(), elapsedMs: () => performance.now() };
  const clock = createApiClock(createApiClient(apiServer, tls.serviceAccountFolder), local, log);
  return createRenewal({
    store: createSecretStore(clock.client, namespace, secretName),
    trust: createWebhookTrust({ client: clock.client, webhookConfiguration, service, namespace }),
    dnsNames: [`${service}.${namespace}.svc`, `${service}.${namespace}`, service],
    now: () => clock.now(),
    random: Math.random,
    log,
  });
}
