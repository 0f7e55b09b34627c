import { DEFAULT_MAX_REQUEST_BYTES } from '../../src/commands/serve-flags.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { judgeLarge } from '../../src/server/judge.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { STATUS_CODES } from '../../src/server/http.ts';
import { startServer, type RunningServer, type ServerOptions } from '../../src/server/server.ts';
import { createAuthority } from '../../tools/certificates.ts';
import type { Endpoint } from './https-client.ts';
import { DEFAULT_POLICY } from './review.ts';

/** A jobguard within the test's own process. */
export interface TestServer extends RunningServer, AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly metrics: Metrics;
  /** Every line that it logged, `debug` included. */
  readonly log: readonly string[];
}

/** What a test server says of itself. */
export const TEST_BUILD = { version: '1.2.3', revision: 'f00ba4', nodeVersion: '24.0.0', policyVersion: 'jobguard/v1' };

const HOUR_MS = 3_600_000;

/** Starts a server on ports that the system chooses; it ends without a delay. */
export async function startTestServer(overrides: Partial<ServerOptions> = {}): Promise<TestServer> {
  const policy = overrides.policy ?? DEFAULT_POLICY;
  const authority = await createAuthority();
  const issued = await authority.issue('jobguard');
  const metrics = createMetrics(policy, TEST_BUILD, STATUS_CODES);
  const lines: string[] = [];
  const server = await startServer({
    config: {
      bindAddress: '127.0.0.1',
      securePort: 0,
      metricsPort: 0,
      tlsMinVersion: 'TLSv1.2',
      allowedClientNames: [],
      shutdownDelayMs: 0,
      shutdownTimeoutMs: 5_000,
    },
    policy,
    // In this thread, where a test's own policy can be used.
    largeBodies: {
      judge: (body) => Promise.resolve().then(() => judgeLarge(policy, body)),
      end: () => Promise.resolve(),
    },
    build: TEST_BUILD,
    body: { maxBytes: DEFAULT_MAX_REQUEST_BYTES },
    certificate: {
      keyPair: { ...issued, notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + HOUR_MS) },
      renew: undefined,
      delayMs: () => 0,
      now: () => new Date(),
      checks: [],
    },
    clientAuthorities: undefined,
    metrics,
    log: createLog({ level: 'debug', format: 'json', write: (line) => lines.push(line) }),
    ...overrides,
  });
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => (ended ??= server.end());
  return {
    ...server,
    end,
    endpoint: { port: server.securePort, ca: authority.cert },
    metrics,
    log: lines,
    [Symbol.asyncDispose]: end,
  };
}
