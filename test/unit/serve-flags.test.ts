import { describe, expect, test } from '@jest/globals';

import { parseConfig, type Config, type ServeFlags } from '../../src/commands/serve-flags.ts';
import { UsageError } from '../../src/commands/usage-error.ts';
import { parseDuration } from '../../src/server/duration.ts';

/** The flags as commander hands them over when none is given. */
const BARE: ServeFlags = {
  securePort: '10250',
  bindAddress: '::',
  tlsMinVersion: '1.2',
  metricsPort: '8080',
  maxRequestBytes: '16777216',
  shutdownDelay: '10s',
  shutdownTimeout: '20s',
  logLevel: 'info',
  logFormat: 'json',
  serviceAccountDir: '/var/run/secrets',
};
const FLAGS: ServeFlags = { ...BARE, tlsCertFile: 'tls.crt', tlsPrivateKeyFile: 'tls.key' };

const CONFIG: Config = {
  policyFile: undefined,
  bindAddress: '::',
  securePort: 10_250,
  metricsPort: 8_080,
  certificate: { from: 'files', certFile: 'tls.crt', keyFile: 'tls.key' },
  tlsMinVersion: 'TLSv1.2',
  clientCaFile: undefined,
  allowedClientNames: [],
  maxRequestBytes: 16_777_216,
  shutdownDelayMs: 10_000,
  shutdownTimeoutMs: 20_000,
  logLevel: 'info',
  logFormat: 'json',
};

function problemsOf(flags: ServeFlags): readonly string[] {
  try {
    parseConfig(flags);
    return [];
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
}

describe('the flags of serve', () => {
  test.each<{ what: string; flags: Partial<ServeFlags>; config: Partial<Config> }>([
    { what: 'the defaults', flags: {}, config: {} },
    { what: 'a policy', flags: { policy: 'p.yaml' }, config: { policyFile: 'p.yaml' } },
    { what: 'any secure port', flags: { securePort: '0' }, config: { securePort: 0 } },
    { what: 'no plain port', flags: { metricsPort: '0' }, config: { metricsPort: undefined } },
    {
      what: 'any secure port and no plain one',
      flags: { securePort: '0', metricsPort: '0' },
      config: { securePort: 0, metricsPort: undefined },
    },
    { what: 'the highest ports', flags: { securePort: '65535' }, config: { securePort: 65_535 } },
    { what: 'an IPv4 address', flags: { bindAddress: '0.0.0.0' }, config: { bindAddress: '0.0.0.0' } },
    {
      what: 'client authorities and names',
      flags: { clientCaFile: 'ca.crt', allowedClientNames: 'kube-apiserver, a.example' },
      config: { clientCaFile: 'ca.crt', allowedClientNames: ['kube-apiserver', 'a.example'] },
    },
    { what: 'TLS 1.3', flags: { tlsMinVersion: '1.3' }, config: { tlsMinVersion: 'TLSv1.3' } },
    { what: 'a small limit', flags: { maxRequestBytes: '1' }, config: { maxRequestBytes: 1 } },
    {
      what: 'no time to drain',
      flags: { shutdownDelay: '0', shutdownTimeout: '0s' },
      config: { shutdownDelayMs: 0, shutdownTimeoutMs: 0 },
    },
    {
      what: 'logs for people',
      flags: { logLevel: 'debug', logFormat: 'text' },
      config: { logLevel: 'debug', logFormat: 'text' },
    },
  ])('take $what', ({ flags, config }) => {
    expect(parseConfig({ ...FLAGS, ...flags })).toEqual({ ...CONFIG, ...config });
  });

  test('take --dev in place of a certificate', () => {
    expect(parseConfig({ ...BARE, dev: true })).toEqual({ ...CONFIG, certificate: { from: 'dev' } });
  });

  const SELF_MANAGED: ServeFlags = {
    ...BARE,
    selfManagedTls: true,
    secretName: 'tls',
    webhookConfiguration: 'guard',
    service: 'jobguard',
    namespace: 'ns',
  };

  test('take a self-managed certificate', () => {
    const certificate = {
      from: 'selfManaged',
      secretName: 'tls',
      webhookConfiguration: 'guard',
      service: 'jobguard',
      namespace: 'ns',
      serviceAccountFolder: '/var/run/secrets',
    };
    expect(parseConfig(SELF_MANAGED)).toEqual({ ...CONFIG, certificate });
  });

  test.each<{ what: string; flags: ServeFlags; problems: string[] }>([
    {
      what: 'nothing to manage it with',
      flags: { ...BARE, selfManagedTls: true, service: '' },
      problems: ['--secret-name', '--webhook-configuration', '--service', '--namespace'].map(
        (flag) => `${flag}: required with --self-managed-tls`,
      ),
    },
    {
      what: 'another certificate beside it',
      flags: { ...SELF_MANAGED, tlsCertFile: 'tls.crt', tlsPrivateKeyFile: 'tls.key' },
      problems: ['--self-managed-tls: makes its own certificate; leave out --tls-cert-file and --tls-private-key-file'],
    },
    {
      what: 'a throw-away one beside it',
      flags: { ...BARE, selfManagedTls: true, dev: true, service: 'jobguard' },
      problems: [
        '--dev: makes its own certificate; leave out --self-managed-tls',
        '--dev: makes its own certificate; leave out --service',
      ],
    },
    {
      what: 'what it is managed with, but not that it is',
      flags: { ...FLAGS, secretName: 'tls', namespace: 'ns' },
      problems: ['--self-managed-tls: not given; leave out --secret-name and --namespace'],
    },
    {
      what: 'names of clients, but no authorities for them',
      flags: { ...FLAGS, allowedClientNames: 'a' },
      problems: ['--allowed-client-names: without --client-ca-file nobody is asked for a name'],
    },
    {
      what: 'a client without a name',
      flags: { ...FLAGS, clientCaFile: 'ca.crt', allowedClientNames: 'a,,b' },
      problems: ['--allowed-client-names: "a,,b" has an empty name in it'],
    },
  ])('do not take $what', ({ flags, problems }) => {
    expect(problemsOf(flags)).toEqual(problems);
  });

  const PORT = 'is not a whole number from 0 to 65535';
  const BYTES = 'is not a whole number from 1 to 268435456';
  const DURATION = 'is not a duration of at most 24h such as 10s, 1m30s or 500ms';
  test.each<{ flags: Partial<ServeFlags>; problem: string }>([
    { flags: { securePort: '65536' }, problem: `--secure-port: "65536" ${PORT}` },
    { flags: { securePort: '-1' }, problem: `--secure-port: "-1" ${PORT}` },
    { flags: { securePort: '' }, problem: `--secure-port: "" ${PORT}` },
    { flags: { metricsPort: '0x50' }, problem: `--metrics-port: "0x50" ${PORT}` },
    { flags: { metricsPort: '10250' }, problem: '--metrics-port: 10250 is the secure port already' },
    { flags: { bindAddress: 'localhost' }, problem: '--bind-address: "localhost" is not an IP address' },
    { flags: { tlsMinVersion: '1.1' }, problem: '--tls-min-version: "1.1" is not one of 1.2, 1.3' },
    { flags: { maxRequestBytes: '0' }, problem: `--max-request-bytes: "0" ${BYTES}` },
    { flags: { maxRequestBytes: '16Mi' }, problem: `--max-request-bytes: "16Mi" ${BYTES}` },
    { flags: { maxRequestBytes: '268435457' }, problem: `--max-request-bytes: "268435457" ${BYTES}` },
    { flags: { shutdownDelay: '10' }, problem: `--shutdown-delay: "10" ${DURATION}` },
    { flags: { shutdownTimeout: '25h' }, problem: `--shutdown-timeout: "25h" ${DURATION}` },
    {
      flags: { shutdownDelay: '21s' },
      problem: '--shutdown-timeout: shorter than --shutdown-delay, which it includes',
    },
    { flags: { logLevel: 'trace' }, problem: '--log-level: "trace" is not one of debug, info, warn, error' },
    { flags: { logFormat: 'xml\n' }, problem: '--log-format: "xml\\n" is not one of json, text' },
    {
      flags: { dev: true },
      problem: '--dev: makes its own certificate; leave out --tls-cert-file and --tls-private-key-file',
    },
  ])('do not take $flags', ({ flags, problem }) => {
    expect(problemsOf({ ...FLAGS, ...flags })).toEqual([problem]);
  });

  test.each([
    { given: {}, missing: ['--tls-cert-file', '--tls-private-key-file'] },
    { given: { tlsCertFile: 'tls.crt' }, missing: ['--tls-private-key-file'] },
    { given: { tlsPrivateKeyFile: 'tls.key' }, missing: ['--tls-cert-file'] },
  ])('need a certificate: $missing', ({ given, missing }) => {
    expect(problemsOf({ ...BARE, ...given })).toEqual(
      missing.map((flag) => `${flag}: required (for trying things out: --dev)`),
    );
  });

  test('are all looked at before anything is said', () => {
    const problems = problemsOf({ ...FLAGS, securePort: 'x', metricsPort: 'y', logLevel: 'z', bindAddress: 'a' });
    expect(problems.map((problem) => problem.split(':')[0]).toSorted()).toEqual([
      '--bind-address',
      '--log-level',
      '--metrics-port',
      '--secure-port',
    ]);
    expect(new UsageError(problems).message).toBe(problems.join('\n'));
  });
});

test.each([
  { text: '0', ms: 0 },
  { text: '0s', ms: 0 },
  { text: '500ms', ms: 500 },
  { text: '10s', ms: 10_000 },
  { text: '1m30s', ms: 90_000 },
  { text: '1.5h', ms: 5_400_000 },
  { text: '1h1m1s1ms', ms: 3_661_001 },
  ...['', '1', '-1s', '1 s', '1d', 's', '1s2', '1e3s', '.5s', '1.s', ' 1s', '1S', '1µs'].map((text) => ({
    text,
    ms: undefined,
  })),
])('the duration "$text" is $ms ms', ({ text, ms }) => {
  expect(parseDuration(text)).toBe(ms);
});
