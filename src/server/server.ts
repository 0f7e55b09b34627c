import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import type { Server } from 'node:https';
import type { Server as NetServer } from 'node:net';

import type { BuildInfo } from '../build-info.ts';
import type { Config } from '../config.ts';
import type { Policy } from '../core/policy.ts';
import type { BodyReaderOptions } from './body.ts';
import { isValidAt } from './certificate.ts';
import { reloadCertificate, type CertificateReload, type CertificateSource } from './certificate-reload.ts';
import { trackConnections, type Connections } from './connections.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createProbes, type Check } from './probes.ts';
import { createSecureServer } from './secure-server.ts';
import { drain } from './shutdown.ts';
import { createWebhook } from './webhook.ts';

export interface ServerOptions {
  readonly config: Pick<
    Config,
    'bindAddress' | 'securePort' | 'metricsPort' | 'tlsMinVersion' | 'shutdownDelayMs' | 'shutdownTimeoutMs'
  >;
  readonly policy: Policy;
  readonly build: BuildInfo;
  readonly body: BodyReaderOptions;
  readonly certificate: CertificateSource;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => Date;
}

export interface RunningServer {
  readonly securePort: number;
  /** undefined where there is no plain port. */
  readonly metricsPort: number | undefined;
  /** Ends the server as `drain` of shutdown.ts does, and leaves neither listener nor timer behind. */
  end(): Promise<void>;
}

/** Starts the secure and the plain port and follows the certificate. Rejects where a port cannot be had. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, metrics, log } = options;
  let isDraining = false;
  const { secure, connections, certificate, checks } = createSecurePort(options, () => isDraining);
  const plain = createPlainServer(createProbes({ registry: metrics.registry, build: options.build, checks, log }));

  const closeTheRest = (): void => {
    certificate.end();
    plain.close();
    plain.closeAllConnections();
  };
  const end = async (): Promise<void> => {
    isDraining = true;
    metrics.draining.set(1);
    const { shutdownDelayMs: delayMs, shutdownTimeoutMs: timeoutMs } = config;
    log.info({ delayMs, timeoutMs }, 'draining');
    const cutOff = await drain({ server: secure, connections, delayMs, timeoutMs });
    closeTheRest();
    log.info({ cutOff }, 'drained');
  };

  try {
    const securePort = await listen(secure, config.bindAddress, config.securePort);
    const metricsPort =
      config.metricsPort === undefined ? undefined : await listen(plain, config.bindAddress, config.metricsPort);
    return { securePort, metricsPort, end };
  } catch (error) {
    secure.close();
    closeTheRest();
    throw error;
  }
}

interface SecurePort {
  readonly secure: Server;
  readonly connections: Connections;
  readonly certificate: CertificateReload;
  /** What being ready takes. */
  readonly checks: readonly Check[];
}

function createSecurePort(options: ServerOptions, isDraining: () => boolean): SecurePort {
  const { config, policy, body, certificate: source, metrics, log, now } = options;
  const minVersion = config.tlsMinVersion;
  const handler = createWebhook({ policy, body, metrics, log, isDraining });
  const secure = createSecureServer({ keyPair: source.keyPair, minVersion, handler, metrics, log });
  const certificate = reloadCertificate({ server: secure, minVersion, source, metrics, log, now });
  return {
    secure,
    connections: trackConnections(secure, metrics.connections),
    certificate,
    checks: [
      { name: 'listening', passes: () => secure.listening },
      { name: 'certificate', passes: () => isValidAt(certificate.current(), now()) },
      { name: 'shutdown', passes: () => !isDraining() },
    ],
  };
}

/** Listens and returns the port, which the system chooses where `port` is 0. */
async function listen(server: NetServer, host: string, port: number): Promise<number> {
  // Told nothing, Node takes :: too, or 0.0.0.0 where the machine has no IPv6.
  server.listen(host === '::' ? { port } : { port, host });
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
