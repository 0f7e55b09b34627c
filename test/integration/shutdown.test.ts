import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';

import { readKeyPair } from '../../src/tls/certificate.ts';
import { certificateInFiles } from '../../src/tls/certificate-reload.ts';
import { createAuthority, type Authority } from '../../tools/certificates.ts';
import { eventually } from '../../tools/eventually.ts';
import { freePort } from '../../tools/free-port.ts';
import { answerTo, call, requestOptions, type Endpoint } from '../support/https-client.ts';
import { TF_JOB } from '../support/job.ts';
import { startJobguard, type JobguardProcess } from '../../tools/jobguard-process.ts';
import { reviewText } from '../support/review.ts';
import { createSecretVolume } from '../support/secret-volume.ts';
import { startTestServer } from '../support/server.ts';

// Processes and certificates take their time on a busy machine.
jest.setTimeout(60_000);

const UNCHANGED = reviewText({ oldObject: TF_JOB, object: TF_JOB });

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority();
});

let undo = new AsyncDisposableStack();
afterEach(async () => {
  await undo.disposeAsync();
  undo = new AsyncDisposableStack();
});

interface Started extends JobguardProcess {
  readonly endpoint: Endpoint;
}

/** Starts the bundle as it is deployed, with a delay and a timeout. */
async function start(delay: string, timeout: string, ...args: string[]): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-shutdown-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const { cert, key } = await authority.issue('jobguard');
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  const program = undo.use(
    await startJobguard([
      ...['--tls-cert-file', certFile, '--tls-private-key-file', keyFile, '--metrics-port', String(await freePort())],
      ...['--shutdown-delay', delay, '--shutdown-timeout', timeout, ...args],
    ]),
  );
  return { ...program, endpoint: { port: program.securePort, ca: authority.cert } };
}

async function drainingIsSeen({ metricsPort }: JobguardProcess): Promise<void> {
  await eventually(
    'readyz to fail',
    async () => ((await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status === 503 ? true : undefined),
    { intervalMs: 5 },
  );
}

async function plain({ metricsPort }: JobguardProcess, path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).text();
}

function messages({ stderr }: JobguardProcess): unknown[] {
  return stderr()
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

describe('a process that is shutting down', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('by %s drains and exits with 0', async (signal) => {
    const program = await start('0s', '5s');
    program.signal(signal);
    expect(await program.exited).toBe(0);
    const time = expect.any(String);
    expect(messages(program).slice(1)).toEqual([
      { level: 'info', time, signal, msg: 'shutting down' },
      { level: 'info', time, delayMs: 0, timeoutMs: 5_000, msg: 'draining' },
      { level: 'info', time, cutOff: 0, msg: 'drained' },
    ]);
  });

  test('answers every request under load until its delay is over, and those under way after that', async () => {
    const delayMs = 2_000;
    const program = await start(`${delayMs}ms`, '10s');
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    let signalledAt = Infinity;
    let isDraining = false;
    const work = async (options: { agent?: Agent }): Promise<unknown[]> => {
      const outcomes = [];
      // The second half is left out: what is dialled late in it may find the port closed, as it should.
      while (performance.now() < signalledAt + delayMs / 2) {
        const isLast = isDraining;
        const { status, headers } = await call(program.endpoint, { ...options, body: UNCHANGED });
        outcomes.push({ status, connection: isLast ? headers.connection : 'any' });
      }
      return outcomes;
    };
    const workers = [work({}), work({}), work({ agent }), work({ agent }), work({ agent }), work({ agent })];
    await call(program.endpoint, { body: UNCHANGED });

    // Under way from before the signal until after the delay.
    const slow = httpsRequest(
      requestOptions(program.endpoint, { headers: { 'content-length': String(Buffer.byteLength(UNCHANGED)) } }),
    );
    const slowAnswer = answerTo(slow);
    slow.write(UNCHANGED.slice(0, 100));

    program.signal('SIGTERM');
    signalledAt = performance.now();
    await drainingIsSeen(program);
    isDraining = true;
    const outcomes = (await Promise.all(workers)).flat();
    await refuses(program.endpoint);
    slow.end(UNCHANGED.slice(100));
    expect((await slowAnswer).headers.connection).toBe('close');
    expect((await slowAnswer).status).toBe(200);
    expect(await program.exited).toBe(0);
    agent.destroy();

    const distinct = new Set(outcomes.map((outcome) => JSON.stringify(outcome)));
    expect(distinct).toEqual(new Set(['{"status":200,"connection":"any"}', '{"status":200,"connection":"close"}']));
    expect(outcomes.length).toBeGreaterThan(10);
    expect(messages(program).at(-1)).toEqual(expect.objectContaining({ msg: 'drained', cutOff: 0 }));
  });

  test('does not wait for connections that ask nothing', async () => {
    const program = await start('0s', '20s');
    const agent = new Agent({ keepAlive: true });
    await call(program.endpoint, { agent, body: UNCHANGED });
    const unused = connect({ host: '127.0.0.1', port: program.securePort, ca: authority.cert });
    await once(unused, 'secureConnect');
    unused.on('error', () => undefined);
    const startMs = performance.now();
    program.signal('SIGTERM');
    expect(await program.exited).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(5_000);
    agent.destroy();
  });

  test('cuts off at its timeout what does not end, and exits with 0', async () => {
    const program = await start('0s', '300ms');
    const stuck = httpsRequest(requestOptions(program.endpoint, { headers: { 'content-length': '1000' } }));
    const cut = once(stuck, 'error');
    stuck.write('{');
    await eventually('the request to arrive', async () => {
      const metrics = await plain(program, '/metrics');
      return metrics.includes('jobguard_http_requests_in_flight 1') ? true : undefined;
    });
    program.signal('SIGTERM');
    expect(await program.exited).toBe(0);
    await cut;
    expect(messages(program).at(-1)).toEqual(expect.objectContaining({ msg: 'drained', cutOff: 1 }));
  });

  test('ends at once when told twice, and exits with 1', async () => {
    const program = await start('1m', '2m');
    program.signal('SIGTERM');
    await drainingIsSeen(program);
    expect(await plain(program, '/metrics')).toMatch(/^jobguard_draining 1$/m);
    expect(await plain(program, '/readyz')).toBe(
      '[+]listening ok\n[+]certificate ok\n[-]shutdown failed: shutting down\nreadyz check failed\n',
    );
    expect(await plain(program, '/livez')).toBe('ok');
    program.signal('SIGINT');
    expect(await program.exited).toBe(1);
    expect(program.stderr()).toMatch(/\nerror: SIGINT during shutdown: exiting immediately\n$/);
  });
});

test('a server that has ended leaves no listener, connection or timer behind', async () => {
  const files = undo.use(await createSecretVolume(await authority.issue('jobguard')));
  const before = resources();
  const keyPair = await readKeyPair(files, new Date());
  const server = await startTestServer({ certificate: certificateInFiles(keyPair, files, 600_000, () => new Date()) });
  const endpoint = { port: server.securePort, ca: authority.cert };
  const agent = new Agent({ keepAlive: true });
  await call(endpoint, { agent, body: UNCHANGED });
  const refused = httpsRequest(requestOptions(endpoint, { headers: { 'content-length': '20971520' } }));
  const refusal = answerTo(refused);
  refused.flushHeaders();
  await refusal;
  const idle = connectPlain({ host: '127.0.0.1', port: server.metricsPort ?? 0 });
  await once(idle, 'connect');

  await server.end();
  agent.destroy();
  refused.destroy();
  await once(idle, 'close');
  await eventually('everything to be gone', async () =>
    Promise.resolve(newSince(before).length === 0 ? true : undefined),
  );
});

/** What keeps this process alive, by kind. */
function resources(): string[] {
  return process.getActiveResourcesInfo();
}

function newSince(before: readonly string[]): string[] {
  return before.reduce((rest, kind) => {
    const index = rest.indexOf(kind);
    return index === -1 ? rest : rest.toSpliced(index, 1);
  }, resources());
}

async function refuses(endpoint: Endpoint): Promise<void> {
  await eventually('the port to be closed', async () =>
    call(endpoint, { body: UNCHANGED }).then(
      () => undefined,
      () => true as const,
    ),
  );
}
