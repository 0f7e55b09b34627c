import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Command } from 'commander';

import { STATUS_CODES } from '../server/http.ts';
import { compilePolicy } from '../policy/compile.ts';
import { BUILD_INFO } from '../telemetry/build-info.ts';
import { InvalidCertificateError, readKeyPair } from '../tls/certificate.ts';
import { certificateInFiles, type CertificateSource, type ClientAuthoritySource } from '../tls/certificate-reload.ts';
import { readClientAuthorities } from '../tls/client-authorities.ts';
import type { Logger } from '../telemetry/log.ts';
import type { CommandContext } from './context.ts';
import { completePolicyOption } from './policy-option.ts';
import { DEFAULT_MAX_REQUEST_BYTES, parseConfig, type Config, type ServeFlags } from './serve-flags.ts';
import { UsageError } from './usage-error.ts';

/** `jobguard serve`: the webhook. */
export function serveCommand(context: CommandContext): Command {
  return new Command('serve')
    .description('serve the webhook')
    .option('--policy <file>', 'policy file (default: the built-in policy)')
    .option('--secure-port <port>', 'HTTPS port of POST /validate; 0 picks a free port', '10250')
    .option('--bind-address <ip>', 'address to listen on', '::')
    .option('--tls-cert-file <file>', 'PEM certificate chain; reloaded when its content changes')
    .option('--tls-private-key-file <file>', 'PEM private key of that certificate')
    .option('--tls-min-version <version>', '1.2 or 1.3', '1.2')
    .option(
      '--client-ca-file <file>',
      'PEM CA certificates; callers must present a client certificate that one of them issued',
    )
    .option(
      '--allowed-client-names <names>',
      'comma-separated common or alternative names of the clients that may call (default: all)',
    )
    .option(
      '--self-managed-tls',
      'replicas issue the certificate and write the caBundle themselves; requires the next four flags',
    )
    .option('--secret-name <name>', 'Secret that the replicas share')
    .option(
      '--webhook-configuration <name>',
      'ValidatingWebhookConfiguration, annotated jobguard.dev/tls-mode: selfManaged',
    )
    .option('--service <name>', 'Service through which the API server calls the webhook')
    .option('--namespace <name>', 'namespace of the Secret and the Service')
    .option(
      '--service-account-dir <folder>',
      'folder with the token and ca.crt for the API server',
      SERVICE_ACCOUNT_FOLDER,
    )
    .option('--metrics-port <port>', 'plain HTTP port of /metrics, /livez, /readyz and /version; 0 disables it', '8080')
    .option('--max-request-bytes <bytes>', 'largest request body', String(DEFAULT_MAX_REQUEST_BYTES))
    .option('--shutdown-delay <duration>', 'how long to keep accepting requests after SIGTERM', '10s')
    .option(
      '--shutdown-timeout <duration>',
      'when to close the connections that are still open, counted from SIGTERM',
      '20s',
    )
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .option('--log-format <format>', 'json or text', 'json')
    .option('--dev', 'for development: a temporary self-signed certificate, made in memory')
    .addHelpText('after', EXAMPLE)
    .action(async (flags: ServeFlags) => {
      await serve(parseConfig(flags), context);
    });
}

/** Where kubelet puts them: k8s.io/client-go rest/config.go. */
const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

const EXAMPLE = `
SIGTERM or SIGINT drains the server. A second signal exits immediately with code 1.

Example:
  jobguard serve --policy policy.yaml --tls-cert-file tls.crt --tls-private-key-file tls.key`;

async function serve(config: Config, context: CommandContext): Promise<void> {
  // Signals are handled first: one may arrive while the process starts.
  const termination = context.nextTermination();
  // Loaded here, so that the other commands do not pay for it.
  const { createLog, lossyWriter } = await import('../telemetry/log.ts');
  const { write, flush } = lossyWriter(context.stderr, (lines) => log.warn({ lines }, 'log lines dropped'));
  const log = createLog({ level: config.logLevel, format: config.logFormat, write });
  context.onFault((error) => {
    log.fatal({ err: error }, 'fault');
    flush();
  });
  try {
    await serveUntil(termination, config, context, log);
  } finally {
    flush();
    context.endUnread();
  }
}

async function serveUntil(
  termination: Promise<NodeJS.Signals>,
  config: Config,
  context: CommandContext,
  log: Logger,
): Promise<void> {
  const [{ collectProcessMetrics, createMetrics }, { logExpiries }, { startServer }, { createLargeBodyJudge }] =
    await Promise.all([
      import('../telemetry/metrics.ts'),
      import('../telemetry/expiries.ts'),
      import('../server/server.ts'),
      import('../server/large-bodies.ts'),
    ]);
  const completePolicy = await completePolicyOption(config.policyFile, context);
  const policy = compilePolicy(completePolicy);
  logExpiries(policy.exemptions, log);
  const { certificate, discard } = await loadCertificate(config, context, log);
  const clientAuthorities = await loadClientAuthorities(config);
  const metrics = createMetrics(policy, BUILD_INFO, STATUS_CODES);
  collectProcessMetrics(metrics.registry);
  try {
    const server = await startServer({
      config,
      policy,
      certificate,
      clientAuthorities,
      build: BUILD_INFO,
      body: { maxBytes: config.maxRequestBytes },
      largeBodies: createLargeBodyJudge(completePolicy),
      metrics,
      log,
    });
    const { securePort, metricsPort } = server;
    log.info({ securePort, metricsPort, policy: policy.hash, version: BUILD_INFO.version }, 'serving');
    log.info({ signal: await termination }, 'shutting down');
    await server.end();
  } finally {
    await discard();
  }
}

/** How often the files are read. kubelet itself may take a minute to show a renewed Secret. */
const CERTIFICATE_POLL_MS = 10_000;

interface LoadedCertificate {
  readonly certificate: CertificateSource;
  /** Removes what was written for it. */
  readonly discard: () => Promise<void>;
}

async function loadCertificate(
  { certificate }: Config,
  context: CommandContext,
  log: Logger,
): Promise<LoadedCertificate> {
  const discard = (): Promise<void> => Promise.resolve();
  switch (certificate.from) {
    case 'dev':
      return makeDevCertificate(context, log);
    case 'files': {
      const now = (): Date => new Date();
      const keyPair = await usable('--tls-cert-file, --tls-private-key-file', readKeyPair(certificate, now()));
      return { certificate: certificateInFiles(keyPair, certificate, CERTIFICATE_POLL_MS, now), discard };
    }
    case 'selfManaged': {
      const { apiServer } = context;
      if (apiServer === undefined) {
        throw new UsageError(['--self-managed-tls: requires KUBERNETES_SERVICE_HOST (set inside a pod)']);
      }
      const { selfManagedCertificate } = await import('../tls/self-managed/source.ts');
      return { certificate: selfManagedCertificate(certificate, apiServer, log), discard };
    }
  }
}

async function loadClientAuthorities({ clientCaFile: file }: Config): Promise<ClientAuthoritySource | undefined> {
  if (file === undefined) return undefined;
  return { pem: await usable('--client-ca-file', readClientAuthorities(file)), file, pollMs: CERTIFICATE_POLL_MS };
}

/** Turns what is wrong with a file into a wrong flag. */
async function usable<T>(flags: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw error instanceof InvalidCertificateError ? new UsageError([`${flags}: ${error.message}`]) : error;
  }
}

async function makeDevCertificate({ stdout }: CommandContext, log: Logger): Promise<LoadedCertificate> {
  const { createDevCertificate } = await import('../tls/dev-certificate.ts');
  const keyPair = await createDevCertificate(new Date());
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-dev-'));
  const caFile = join(folder, 'ca.crt');
  await writeFile(caFile, keyPair.cert);
  log.warn({ caFile }, 'DEVELOPMENT ONLY: serving a temporary self-signed certificate; do not use --dev in a cluster');
  stdout.write(`CA certificate: ${caFile}\n`);
  return {
    certificate: { keyPair, renew: undefined, delayMs: () => 0, now: () => new Date(), checks: [] },
    discard: () => rm(folder, { recursive: true }),
  };
}
