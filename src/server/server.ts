import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import type { Server } from 'node:https';
import type { Server as NetServer } from 'node:net';

import type { Policy } from '../core/policy.ts';
import type { BodyReaderOptions } from './body.ts';
import {
  reloadCertificate,
  type CertificateReload,
  type CertificateSource,
  type ClientAuthoritySource,
} from '../tls/certificate-reload.ts';
import { trackConnections, type Connections } from './connections.ts';
import type { BuildInfo } from '../telemetry/build-info.ts';
import type { LargeBodyJudge } from './large-bodies.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Check } from '../telemetry/readiness.ts';
import type { TlsVersion } from '../tls/secure-context.ts';
import { createProbes } from './probes.ts';
import { createSecureServer } from './secure-server.ts';
import { drain } from './shutdown.ts';
import { createWebhook } from './webhook.ts';

/** Where a server listens, who may call, and how it ends. */
export interface ServerConfig {
  readonly bindAddress: string;
  /** 0: the system chooses one. */
  readonly securePort: number;
  /** undefined: no plain port. 0: the system chooses one. */
  readonly metricsPort: number | undefined;
  readonly tlsMinVersion: TlsVersion;
  /** Empty: everybody whom the client authorities prove. */
  readonly allowedClientNames: readonly string[];
  readonly shutdownDelayMs: number;
  /** Counted from the signal, so that the one number to stay below is the pod's terminationGracePeriodSeconds. */
  readonly shutdownTimeoutMs: number;
}

export interface ServerOptions {
  readonly config: ServerConfig;
  readonly policy: Policy;
  /** Ends with the server. */
  readonly largeBodies: LargeBodyJudge;
  readonly build: BuildInfo;
  readonly body: BodyReaderOptions;
  /** undefined: as many as connections.ts thinks fit. */
  readonly maxConnections?: number;
  readonly certificate: CertificateSource;
  /** undefined: whoever reaches the secure port may call. */
  readonly clientAuthorities: ClientAuthoritySource | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
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
  const { config, largeBodies, metrics, log } = options;
  let isDraining = false;
  const { secure, connections, certificate, checks } = createSecurePort(options, () => isDraining);
  const plain = createPlainServer(createProbes({ registry: metrics.registry, build: options.build, checks, log }));
  trackConnections(plain, { maxConnections: options.maxConnections });

  const closeTheRest = (): void => {
    certificate.end();
    plain.close();
    plain.closeAllConnections();
  };
  const end = async (): Promise<void> => {
    isDraining = true;
    // Who goes does nothing more for the others: an uninstalled release must not make its Secret anew.
    certificate.end();
    metrics.draining.value = 1;
    const { shutdownDelayMs: delayMs, shutdownTimeoutMs: timeoutMs } = config;
    log.info({ delayMs, timeoutMs }, 'draining');
    const cutOff = await drain({ server: secure, connections, delayMs, timeoutMs });
    closeTheRest();
    await largeBodies.end();
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
  const { config, policy, body, largeBodies, maxConnections, certificate: source, ...rest } = options;
  const { clientAuthorities, metrics, log } = rest;
  const { tlsMinVersion: minVersion, allowedClientNames } = config;
  const allowedClients = clientAuthorities === undefined ? undefined : allowedClientNames;
  const handler = createWebhook({ policy, body, largeBodies, allowedClients, metrics, log, isDraining });
  const credentials = { keyPair: source.keyPair, clientCa: clientAuthorities?.pem, minVersion };
  const { secure, connections } = createSecureServer({ credentials, handler, maxConnections, metrics, log });
  const certificate = reloadCertificate({ server: secure, minVersion, source, clientAuthorities, metrics, log });
  return {
    secure,
    connections,
    certificate,
    checks: [
      { name: 'listening', problem: () => (secure.listening ? undefined : 'not yet') },
      ...certificate.checks,
      { name: 'shutdown', problem: () => (isDraining() ? 'shutting down' : undefined) },
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
