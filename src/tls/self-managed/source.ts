import type { CertificateSource } from '../certificate-reload.ts';
import type { SelfManagedTls } from '../../config.ts';
import type { Logger } from '../../telemetry/log.ts';
import { createApiClient } from './api-client.ts';
import { createApiClock } from './api-clock.ts';
import { createRenewal } from './renewal.ts';
import { createSecretStore } from './secret-store.ts';
import { createWebhookTrust } from './webhook-trust.ts';

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
