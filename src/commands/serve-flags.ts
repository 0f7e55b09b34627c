import { isIP } from 'node:net';

import { parseDuration } from '../server/duration.ts';
import type { ServerConfig } from '../server/server.ts';
import type { LogFormat, LogLevel } from '../telemetry/log.ts';
import type { CertificateFiles } from '../tls/certificate.ts';
import type { SelfManagedTls } from '../tls/self-managed/source.ts';
import { UsageError } from './usage-error.ts';

/** The flags of `serve` as they stand on the command line; a flag without a default may be absent. */
export interface ServeFlags {
  readonly policy?: string;
  readonly securePort: string;
  readonly bindAddress: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly tlsMinVersion: string;
  readonly metricsPort: string;
  readonly maxRequestBytes: string;
  readonly shutdownDelay: string;
  readonly shutdownTimeout: string;
  readonly logLevel: string;
  readonly logFormat: string;
  readonly dev?: boolean;
  readonly clientCaFile?: string;
  readonly allowedClientNames?: string;
  readonly selfManagedTls?: boolean;
  readonly secretName?: string;
  readonly webhookConfiguration?: string;
  readonly service?: string;
  readonly namespace?: string;
  readonly serviceAccountDir: string;
}

/** Where the serving certificate comes from. */
export type CertificateOrigin =
  | ({ readonly from: 'files' } & CertificateFiles)
  | ({ readonly from: 'selfManaged' } & SelfManagedTls)
  | { readonly from: 'dev' };

/** What `serve` was told, checked. */
export interface Config extends ServerConfig {
  /** undefined: the default policy. */
  readonly policyFile: string | undefined;
  readonly certificate: CertificateOrigin;
  /** undefined: whoever reaches the secure port may call. */
  readonly clientCaFile: string | undefined;
  readonly maxRequestBytes: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

const TLS_VERSIONS = ['1.2', '1.3'] as const;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];
const LOG_FORMATS = ['json', 'text'] as const satisfies readonly LogFormat[];

const MAX_PORT = 65_535;
/**
 * Most that an API server sends: a stored object of 1.5 MiB (etcd's --max-request-bytes) and a requested one of 3 MiB
 * (k8s.io/apiserver pkg/server/config.go, MaxRequestBodyBytes), of nothing but `<`, `>` or `&`, which Go's encoder writes
 * in six bytes. etcd keeps what the encoder wrote, so the stored one grows no more.
 */
export const DEFAULT_MAX_REQUEST_BYTES = (1.5 + 3 * 6) * 1024 * 1024;
/** V8 refuses strings above about 512 MiB, and a body becomes one. */
const MAX_REQUEST_BYTES_LIMIT = 256 * 1024 * 1024;
/** Node's timers count milliseconds in 31 bits (24 days); nobody waits a day for a pod to end. */
const MAX_DURATION_MS = 24 * 3_600_000;

/**
 * Checks the flags of `serve`.
 *
 * @throws UsageError naming every wrong flag
 */
export function parseConfig(flags: ServeFlags): Config {
  const problems: string[] = [];
  const integer = (flag: string, text: string, min: number, max: number): number => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    problems.push(`${flag}: ${JSON.stringify(text)} is not a whole number from ${min} to ${max}`);
    return NaN;
  };
  const duration = (flag: string, text: string): number => {
    const value = parseDuration(text) ?? NaN;
    if (value <= MAX_DURATION_MS) return value;
    problems.push(`${flag}: ${JSON.stringify(text)} is not a duration of at most 24h such as 10s, 1m30s or 500ms`);
    return NaN;
  };
  const choice = <T extends string>(flag: string, text: string, choices: readonly [T, ...T[]]): T => {
    const found = choices.find((name) => name === text);
    if (found === undefined) problems.push(`${flag}: ${JSON.stringify(text)} is not one of ${choices.join(', ')}`);
    return found ?? choices[0];
  };

  const metricsPort = integer('--metrics-port', flags.metricsPort, 0, MAX_PORT);
  const config: Config = {
    policyFile: flags.policy,
    bindAddress: flags.bindAddress,
    securePort: integer('--secure-port', flags.securePort, 0, MAX_PORT),
    metricsPort: metricsPort === 0 ? undefined : metricsPort,
    certificate: certificateOrigin(flags, problems),
    tlsMinVersion: `TLSv${choice('--tls-min-version', flags.tlsMinVersion, TLS_VERSIONS)}`,
    clientCaFile: flags.clientCaFile,
    allowedClientNames: allowedClientNames(flags, problems),
    maxRequestBytes: integer('--max-request-bytes', flags.maxRequestBytes, 1, MAX_REQUEST_BYTES_LIMIT),
    shutdownDelayMs: duration('--shutdown-delay', flags.shutdownDelay),
    shutdownTimeoutMs: duration('--shutdown-timeout', flags.shutdownTimeout),
    logLevel: choice('--log-level', flags.logLevel, LOG_LEVELS),
    logFormat: choice('--log-format', flags.logFormat, LOG_FORMATS),
  };
  problems.push(...contradictions(config));
  if (problems.length > 0) throw new UsageError(problems);
  return config;
}

/** The ways to come by a certificate, by the flags that each one takes. */
const FILE_FLAGS = { '--tls-cert-file': 'tlsCertFile', '--tls-private-key-file': 'tlsPrivateKeyFile' } as const;
const SELF_MANAGED_FLAGS = {
  '--secret-name': 'secretName',
  '--webhook-configuration': 'webhookConfiguration',
  '--service': 'service',
  '--namespace': 'namespace',
} as const;

type TextFlag =
  (typeof FILE_FLAGS)[keyof typeof FILE_FLAGS] | (typeof SELF_MANAGED_FLAGS)[keyof typeof SELF_MANAGED_FLAGS];

function certificateOrigin(flags: ServeFlags, problems: string[]): CertificateOrigin {
  const given = (names: Readonly<Record<string, TextFlag>>): string[] =>
    Object.entries(names).flatMap(([flag, key]) => (flags[key] === undefined ? [] : [flag]));
  const refuse = (problem: string, names: readonly string[]): void => {
    if (names.length > 0) problems.push(`${problem}; leave out ${names.join(' and ')}`);
  };
  const required = (flag: string, value: string | undefined, otherwise: string): string => {
    if (value === undefined || value === '') problems.push(`${flag}: required${otherwise}`);
    return value ?? '';
  };

  const { dev = false, selfManagedTls = false } = flags;
  if (dev && selfManagedTls) problems.push('--dev: makes its own certificate; leave out --self-managed-tls');
  if (dev) {
    refuse('--dev: makes its own certificate', [...given(FILE_FLAGS), ...given(SELF_MANAGED_FLAGS)]);
    return { from: 'dev' };
  }
  if (selfManagedTls) {
    refuse('--self-managed-tls: makes its own certificate', given(FILE_FLAGS));
    return {
      from: 'selfManaged',
      secretName: required('--secret-name', flags.secretName, ' with --self-managed-tls'),
      webhookConfiguration: required('--webhook-configuration', flags.webhookConfiguration, ' with --self-managed-tls'),
      service: required('--service', flags.service, ' with --self-managed-tls'),
      namespace: required('--namespace', flags.namespace, ' with --self-managed-tls'),
      serviceAccountFolder: flags.serviceAccountDir,
    };
  }
  refuse('--self-managed-tls: not given', given(SELF_MANAGED_FLAGS));
  return {
    from: 'files',
    certFile: required('--tls-cert-file', flags.tlsCertFile, ' (for trying things out: --dev)'),
    keyFile: required('--tls-private-key-file', flags.tlsPrivateKeyFile, ' (for trying things out: --dev)'),
  };
}

function allowedClientNames({ clientCaFile, allowedClientNames: text }: ServeFlags, problems: string[]): string[] {
  if (text === undefined) return [];
  if (clientCaFile === undefined)
    problems.push('--allowed-client-names: without --client-ca-file nobody is asked for a name');
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) problems.push(`--allowed-client-names: ${JSON.stringify(text)} has an empty name in it`);
  return names;
}

function contradictions(config: Config): string[] {
  const { bindAddress, securePort, metricsPort, shutdownDelayMs, shutdownTimeoutMs } = config;
  const problems: string[] = [];
  if (isIP(bindAddress) === 0) problems.push(`--bind-address: ${JSON.stringify(bindAddress)} is not an IP address`);
  if (securePort === metricsPort) problems.push(`--metrics-port: ${securePort} is the secure port already`);
  if (shutdownTimeoutMs < shutdownDelayMs) {
    problems.push('--shutdown-timeout: shorter than --shutdown-delay, which it includes');
  }
  return problems;
}
