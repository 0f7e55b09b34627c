import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { createAuthority, type Authority } from '../../tools/certificates.ts';
import { run, type Finished } from '../../tools/child-process.ts';
import { freePort } from '../../tools/free-port.ts';
import { answerTo, call, requestOptions } from '../support/https-client.ts';
import { at } from '../../tools/json-at.ts';
import { TF_JOB } from '../support/job.ts';
import { BUNDLE, startJobguard, type JobguardProcess } from '../../tools/jobguard-process.ts';
import { reviewText } from '../support/review.ts';

// Processes and certificates take their time on a busy machine.
jest.setTimeout(60_000);

const UNCHANGED = reviewText({ oldObject: TF_JOB, object: TF_JOB });

let folder: string;
let authority: Authority;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-start-'));
  authority = await createAuthority();
  const [good, other, expired] = await Promise.all([
    authority.issue('good'),
    authority.issue('other'),
    authority.issue('expired', { fromHours: -2, toHours: -1 }),
  ]);
  const files = {
    'good.crt': good.cert,
    'good.key': good.key,
    'other.key': other.key,
    'expired.crt': expired.cert,
    'expired.key': expired.key,
    'cut.crt': good.cert.slice(0, -40),
    'expired.yaml': `apiVersion: jobguard/v1
kind: UpdatePolicy
exemptions:
  - {name: drained, usernames: [jane], paths: [/spec/runPolicy/backoffLimit], expires: 2020-01-31}
  - {name: draining, usernames: [jane], paths: [/spec/runPolicy/backoffLimit], expires: 9999-01-31}
  - {name: lasting, usernames: [jane], paths: [/spec/runPolicy/backoffLimit]}
`,
    'policy.yaml': 'apiVersion: jobguard/v1\nkind: UpdatePolicy\nmode: strict\nallow: [spec/foo]\n',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
});
afterAll(() => rm(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const certificate = (cert: string, key: string): string[] => [
  ...['--tls-cert-file', path(cert), '--tls-private-key-file', path(key)],
];

function jobguard(...args: string[]): Promise<Finished> {
  return run(process.execPath, [BUNDLE, ...args]);
}

describe('serve does not start, and exits with 2,', () => {
  test('naming every wrong flag at once', async () => {
    const args = ['--secure-port', 'x', '--log-level', 'loud', '--shutdown-delay', '10', '--tls-cert-file', 'a'];
    expect(await jobguard('serve', ...args)).toEqual({
      code: 2,
      stdout: '',
      stderr: [
        'error: --secure-port: "x" is not a whole number from 0 to 65535',
        'error: --tls-private-key-file: required (for trying things out: --dev)',
        'error: --shutdown-delay: "10" is not a duration of at most 24h such as 10s, 1m30s or 500ms',
        'error: --log-level: "loud" is not one of debug, info, warn, error',
        '',
      ].join('\n'),
    });
  });

  test.each([
    { what: 'an unknown flag', args: ['serve', '--port', '1'], stderr: /^error: unknown option '--port'\n/ },
    { what: 'an argument', args: ['serve', '--dev', 'x'], stderr: /^error: too many arguments for 'serve'/ },
    { what: 'an unknown command', args: ['server'], stderr: /^error: unknown command 'server'\n/ },
    { what: 'no command', args: [], stderr: /^Usage: jobguard / },
  ])('for $what', async ({ args, stderr }) => {
    expect(await jobguard(...args)).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(stderr) });
  });

  test.each([
    {
      what: 'no certificate there',
      pair: ['none.crt', 'good.key'],
      problem: /^\S+none\.crt cannot be read: ENOENT: no such file or directory/,
    },
    {
      what: 'no key there',
      pair: ['good.crt', 'none.key'],
      problem: /^\S+none\.key cannot be read: ENOENT: no such file or directory/,
    },
    { what: 'a folder', pair: ['.', 'good.key'], problem: /^\S+ cannot be read: EISDIR: / },
    {
      what: 'the key of another',
      pair: ['good.crt', 'other.key'],
      problem: /^the key in \S+other\.key does not belong to the certificate in \S+good\.crt$/,
    },
    { what: 'an expired one', pair: ['expired.crt', 'expired.key'], problem: /expired\.crt expired on 20\d\d-\S+Z$/ },
    { what: 'a truncated one', pair: ['cut.crt', 'good.key'], problem: /cut\.crt contains no PEM certificate: / },
    {
      what: 'a certificate for a key',
      pair: ['good.crt', 'good.crt'],
      problem: /good\.crt contains no unencrypted PEM private key: /,
    },
  ])('for a bad certificate: $what', async ({ pair: [cert = '', key = ''], problem }) => {
    const prefix = 'error: --tls-cert-file, --tls-private-key-file: ';
    const { code, stdout, stderr } = await jobguard('serve', ...certificate(cert, key));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(prefix)).toBe(true);
    expect(stderr.slice(prefix.length).trimEnd()).toMatch(problem);
  });

  test.each([
    { what: 'that is not there', file: 'none.crt', problem: /none\.crt cannot be read: Error: ENOENT/ },
    { what: 'that holds none', file: 'good.key', problem: /good\.key contains no PEM certificate$/ },
    { what: 'with one that is cut off', file: 'cut.crt', problem: /cut\.crt holds 1 broken PEM certificates$/ },
  ])('for a file of client authorities $what', async ({ file, problem }) => {
    const args = [...certificate('good.crt', 'good.key'), '--client-ca-file', path(file)];
    const { code, stderr } = await jobguard('serve', ...args);
    expect({ code, stderr: stderr.trimEnd() }).toEqual({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`^error: --client-ca-file: .*${problem.source}`)),
    });
  });

  test('for self-managed certificates outside of a cluster', async () => {
    const names = ['--secret-name=a', '--webhook-configuration=b', '--service=c', '--namespace=d'];
    expect(await jobguard('serve', '--self-managed-tls', ...names)).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: --self-managed-tls: requires KUBERNETES_SERVICE_HOST (set inside a pod)\n',
    });
  });

  test('for a wrong policy, with every problem in it', async () => {
    const { code, stdout, stderr } = await jobguard(
      ...['serve', ...certificate('good.crt', 'good.key'), '--policy', path('policy.yaml')],
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: \S+policy\.yaml:3:7: mode: .*\nerror: \S+policy\.yaml:4:9: allow\[0\]: .*\n$/);
  });

  test('for a policy that is not there', async () => {
    const { code, stderr } = await jobguard('serve', '--dev', '--policy', path('none.yaml'));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/none\.yaml: does not exist\n$/),
    });
  });
});

test('serve exits with 1 where its port is taken, and leaves nothing behind', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const { code, stderr } = await jobguard(
    ...['serve', '--bind-address', '127.0.0.1', ...certificate('good.crt', 'good.key')],
    ...['--secure-port', '0', '--metrics-port', port],
  );
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `error: Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
  });
  taken.close();
});

const COMMANDS = ['', 'serve', 'check', 'policy', 'replay', 'rerun', 'version', 'completion'];
test.each(COMMANDS)('"%s --help" goes to stdout with an example', async (command) => {
  const { code, stdout, stderr } = await jobguard(...(command === '' ? [] : [command]), '--help');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Usage: jobguard /);
  expect(stdout).toMatch(/Examples?:\n {2}.*jobguard /);
});

test('version prints what the program is', async () => {
  const manifest: unknown = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
  const version = String(at(manifest, 'version'));
  expect(await jobguard('version')).toEqual({
    code: 0,
    stdout: `version: ${version}\nrevision: unknown\nnode: ${process.versions.node}\npolicy: jobguard/v1\n`,
    stderr: '',
  });
});

describe('the bundle', () => {
  test('runs alone in an empty folder', async () => {
    const alone = path('alone');
    await mkdir(alone);
    await copyFile(BUNDLE, join(alone, 'jobguard.js'));
    await using program = await startJobguard(
      [...certificate('good.crt', 'good.key'), '--metrics-port', '0', '--shutdown-delay', '0s'],
      { bundle: join(alone, 'jobguard.js') },
    );
    const { status } = await call({ port: program.securePort, ca: authority.cert }, { body: UNCHANGED });
    expect(status).toBe(200);
    program.signal('SIGTERM');
    expect(await program.exited).toBe(0);
    expect(program.stdout()).toBe('');
  });

  test('with --dev makes a certificate that its CA file proves, says so loudly, and leaves no file behind', async () => {
    await using program = await startJobguard(['--dev', '--metrics-port', '0', '--shutdown-delay', '0s']);
    const [, caFile = ''] = /^CA certificate: (\S+)\n$/.exec(program.stdout()) ?? [];
    const ca = await readFile(caFile, 'utf8');
    expect((await call({ port: program.securePort, ca }, { body: UNCHANGED })).status).toBe(200);
    const [first = ''] = program.stderr().split('\n');
    const warning: unknown = JSON.parse(first);
    expect(warning).toEqual({
      level: 'warn',
      time: expect.any(String),
      caFile,
      msg: 'DEVELOPMENT ONLY: serving a temporary self-signed certificate; do not use --dev in a cluster',
    });
    program.signal('SIGTERM');
    expect(await program.exited).toBe(0);
    await expect(readFile(caFile)).rejects.toThrow('ENOENT');
  });

  test('says at start which exemptions have expired', async () => {
    await using program = await startJobguard([
      ...[...certificate('good.crt', 'good.key'), '--metrics-port', '0', '--policy', path('expired.yaml')],
    ]);
    const events = program
      .stderr()
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(events.filter((event) => at(event, 'msg') === 'exemption expired')).toEqual([
      {
        level: 'warn',
        time: expect.any(String),
        exemption: 'drained',
        expires: '2020-01-31T00:00:00.000Z',
        msg: 'exemption expired',
      },
    ]);
  });

  test('tells about its process, in no gauge that is named like a counter', async () => {
    await using program = await startJobguard([
      ...[...certificate('good.crt', 'good.key'), '--metrics-port', String(await freePort())],
    ]);
    const types = (await metricsOf(program)).matchAll(/^# TYPE (\w+) (\w+)$/gm);
    const metrics = [...types].map(([, name = '', type = '']) => ({ name, type }));
    expect(metrics.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['jobguard_build_info', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds']),
    );
    expect(metrics.filter(({ name, type }) => name.endsWith('_total') !== (type === 'counter'))).toEqual([]);
  });

  test('logs a fault that nobody caught, and exits with 1', async () => {
    const fault = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("boom")})';
    await using program = await startJobguard([...certificate('good.crt', 'good.key'), '--metrics-port', '0'], {
      nodeArgs: ['--import', fault],
    });
    program.signal('SIGUSR2');
    expect(await program.exited).toBe(1);
    const event: unknown = JSON.parse(program.stderr().trimEnd().split('\n').at(-1) ?? '');
    expect(event).toEqual({
      level: 'fatal',
      time: expect.any(String),
      err: { type: 'Error', message: 'boom', stack: expect.stringContaining('Error: boom\n    at ') },
      msg: 'fault',
    });
  });

  test('does not hold what it refuses to read', async () => {
    await using program = await startJobguard([
      ...[...certificate('good.crt', 'good.key'), '--max-request-bytes', '1000000'],
      ...['--metrics-port', String(await freePort())],
    ]);
    const before = await residentMemory(program);
    const request = httpsRequest(
      requestOptions({ port: program.securePort, ca: authority.cert }, { headers: { 'transfer-encoding': 'chunked' } }),
    );
    const answer = answerTo(request);
    request.on('error', () => undefined);
    // 256 MiB, or as much of it as the server lets in.
    const sent = pipeline(Readable.from(Array<Buffer>(256).fill(Buffer.alloc(1024 * 1024, ' '))), request);
    expect((await answer).status).toBe(413);
    await sent.catch(() => undefined);
    expect((await residentMemory(program)) - before).toBeLessThan(100 * 1024 * 1024);
  });
});

async function metricsOf({ metricsPort }: JobguardProcess): Promise<string> {
  return (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
}

async function residentMemory(program: JobguardProcess): Promise<number> {
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(await metricsOf(program))?.[1]);
}
