import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { DEFAULT_POLICY, reviewText } from '../support/review.ts';
import { eventually } from '../../tools/eventually.ts';
import { answerTo, call, requestOptions, type Answer, type Endpoint } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// Processes and certificates take their time on a busy machine.
jest.setTimeout(60_000);

const UNCHANGED = reviewText({ oldObject: TF_JOB, object: TF_JOB });

let server: TestServer | undefined;
afterEach(async () => {
  await server?.end();
  server = undefined;
});

async function start(...overrides: Parameters<typeof startTestServer>): Promise<TestServer> {
  server = await startTestServer(...overrides);
  return server;
}

function statusOf(answer: Answer): unknown {
  const body: unknown = JSON.parse(answer.text);
  return { connection: answer.headers.connection, body };
}

function failure(code: number, reason: string, message: string, connection = 'close'): unknown {
  return { connection, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code } };
}

/** Waits until no request is under way and as many connections are open as expected. */
async function settled({ metrics }: TestServer, connections: number): Promise<void> {
  await eventually(`${connections} open connections without a request`, () =>
    Promise.resolve((metrics.connections.value === connections && metrics.requestsInFlight.value === 0) || undefined),
  );
}

/** Sends nine tenths of a body of 1 MB. */
function sendPart(
  endpoint: Endpoint,
  path: string,
): { readonly request: ClientRequest; readonly answer: Promise<Answer> } {
  const request = httpsRequest(requestOptions(endpoint, { path, headers: { 'content-length': '1000000' } }));
  const answer = answerTo(request);
  request.write(' '.repeat(900_000));
  return { request, answer };
}

describe('bodies', () => {
  test('408: a body that does not arrive in time', async () => {
    const { endpoint } = await start({ body: { maxBytes: 10_000, deadlineMs: 50 } });
    const request = httpsRequest(requestOptions(endpoint, { headers: { 'content-length': '1000' } }));
    const answer = answerTo(request);
    request.write('{"apiVersion":');
    expect(statusOf(await answer)).toEqual(failure(408, 'Timeout', 'the request body did not arrive within 50 ms'));
    request.destroy();
  });

  test('408 in good time before the API server gives up, as its query says', async () => {
    const { endpoint } = await start();
    const path = '/validate?timeout=200ms';
    const request = httpsRequest(requestOptions(endpoint, { path, headers: { 'content-length': '1000' } }));
    const answer = answerTo(request);
    request.write('{"apiVersion":');
    expect(statusOf(await answer)).toEqual(failure(408, 'Timeout', 'the request body did not arrive within 180 ms'));
    request.destroy();
  });

  test('413 before a byte of a body that is announced as too large', async () => {
    const { endpoint } = await start();
    const request = httpsRequest(requestOptions(endpoint, { headers: { 'content-length': '20971520' } }));
    const answer = answerTo(request);
    request.flushHeaders();
    expect(statusOf(await answer)).toEqual(
      failure(413, 'RequestEntityTooLarge', 'the request body is larger than 20447232 bytes (--max-request-bytes)'),
    );
    request.destroy();
  });

  test('413 reaches a client that sends all of its 20 MiB before it looks', async () => {
    const { endpoint } = await start();
    const socket = await connected(endpoint);
    const head =
      'POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20971520\r\n\r\n';
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).write(head + ' '.repeat(20_971_520), () => resolve());
    });
    expect(await text(socket)).toMatch(/^HTTP\/1.1 413 /);
  });

  const many = (count: number, item: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => item(index)).join(',');

  test.each([
    { what: 'empty maps', items: `[${many(2_300_000, () => '{}')}]` },
    { what: 'maps of a shape each', items: `[${many(900_000, (index) => `{"${index}":1}`)}]` },
    { what: 'keys that occur once', items: `{${many(1_250_000, (index) => `"${index}":1`)},"☃":12345678901234567890}` },
    { what: 'lists in lists', items: `${'['.repeat(3_200_000)}${']'.repeat(3_200_000)}` },
  ])('413 for more $what than an API server can send: parsed they might not fit into the heap', async ({ items }) => {
    const { endpoint } = await start();
    expect(statusOf(await call(endpoint, { body: `{"apiVersion":${items}}` }))).toEqual(
      failure(
        413,
        'RequestEntityTooLarge',
        'the request body has more lists, maps and values than an API server can send',
        'keep-alive',
      ),
    );
  });

  test('strings that look like lists and maps are no lists and maps', async () => {
    const { endpoint } = await start();
    const oldObject = withValue(TF_JOB, '/metadata/annotations/note', String.raw`"\ ` + '{['.repeat(1_200_000));
    const object = withValue(oldObject, '/metadata/labels/stage', 'final');
    const { status } = await call(endpoint, { body: reviewText({ oldObject, object }) });
    expect(status).toBe(200);
  });

  test('a large body waits while its client has as many under way as it may; small ones go on', async () => {
    const { endpoint } = await start({ body: { maxBytes: 1_000_000 } });
    const held = sendPart(endpoint, '/validate');
    const waiting = [sendPart(endpoint, '/validate'), sendPart(endpoint, '/validate')];
    expect((await call(endpoint, { body: UNCHANGED })).status).toBe(200);
    for (const { request } of [...waiting, held]) request.end(' '.repeat(100_000));
    const codes = await Promise.all([held, ...waiting].map(async ({ answer }) => (await answer).status));
    expect(codes).toEqual([400, 400, 400]);
  });

  test('a large body whose client has gone while it waited holds nobody up', async () => {
    const { endpoint, metrics } = await start({ body: { maxBytes: 1_000_000 } });
    const underWay = (requests: number): Promise<true> =>
      eventually(`${requests} requests`, () =>
        Promise.resolve(metrics.requestsInFlight.value === requests || undefined),
      );
    const held = sendPart(endpoint, '/validate');
    await underWay(1);
    const gone = httpsRequest(requestOptions(endpoint, { headers: { 'content-length': '1000000' } }));
    gone.on('error', () => undefined).flushHeaders();
    await underWay(2);
    gone.destroy();
    await underWay(1);
    held.request.end(' '.repeat(100_000));
    expect((await held.answer).status).toBe(400);
    const { status } = await call(endpoint, { path: '/validate?timeout=5s', body: UNCHANGED.padEnd(900_000) });
    expect(status).toBe(200);
  });

  test('503 with a time to come back to a large body that waits in vain', async () => {
    const { endpoint, metrics } = await start({ body: { maxBytes: 1_000_000 } });
    const held = sendPart(endpoint, '/validate');
    await eventually('the first', () => Promise.resolve(metrics.requestsInFlight.value === 1 || undefined));
    const late = await sendPart(endpoint, '/validate?timeout=200ms').answer;
    expect(late.headers['retry-after']).toBe('1');
    expect(statusOf(late)).toEqual(failure(503, 'ServiceUnavailable', 'too many large requests at once'));
    held.request.end(' '.repeat(100_000));
    expect((await held.answer).status).toBe(400);
  });

  test('503 with a time to come back, unjudged, for what has waited until the API server is about to give up', async () => {
    const state = { isSlow: false };
    const modeOf = (): 'enforce' => {
      const end = performance.now() + (state.isSlow ? 400 : 0);
      while (performance.now() < end);
      return 'enforce';
    };
    const { endpoint } = await start({ policy: { ...DEFAULT_POLICY, modeOf } });
    const agent = new Agent({ keepAlive: true });
    const body = UNCHANGED + ' '.repeat(64 * 1024); // large enough to take turns
    const callAtOnce = async (): Promise<Answer[]> =>
      Promise.all(Array.from({ length: 6 }, () => call(endpoint, { agent, path: '/validate?timeout=1s', body })));
    // Connections that are open already bring all of the requests at once.
    await callAtOnce();
    state.isSlow = true;
    const answers = await callAtOnce();
    agent.destroy();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    const late = answers.filter(({ status }) => status === 503);
    const told = failure(503, 'ServiceUnavailable', 'too many large requests at once', 'keep-alive');
    expect(late.map((answer) => [answer.headers['retry-after'], statusOf(answer)])).toEqual(
      late.map(() => ['1', told]),
    );
  });

  test('a body that breaks off costs nothing and nobody', async () => {
    const started = await start();
    const request = httpsRequest(requestOptions(started.endpoint, { headers: { 'content-length': '1000' } }));
    const broken = once(request, 'error');
    request.write('{"apiVersion":');
    await eventually('the request to arrive', () =>
      Promise.resolve(started.metrics.requestsInFlight.value === 1 || undefined),
    );
    request.destroy(new Error('gone'));
    await broken;
    await settled(started, 0);
    expect((await call(started.endpoint, { body: UNCHANGED })).status).toBe(200);
    expect(started.log.filter((line) => !line.includes('"level":"debug"'))).toEqual([]);
  });

  test('500 for a fault of ours, which is logged by its name and place alone', async () => {
    const modeOf = (): never => {
      throw new TypeError('hunter2 is not a mode');
    };
    const { endpoint, log } = await start({ policy: { ...DEFAULT_POLICY, modeOf } });
    const answer = await call(endpoint, { body: UNCHANGED });
    const body: unknown = JSON.parse(answer.text);
    expect({ status: answer.status, body }).toEqual({
      status: 500,
      body: {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        message: 'jobguard could not judge this request; its log says why',
        reason: 'InternalError',
        code: 500,
      },
    });
    const events = log.map((line): unknown => JSON.parse(line));
    expect(events).toEqual([
      {
        level: 'error',
        time: expect.any(String),
        error: 'TypeError',
        stack: expect.arrayContaining([expect.stringMatching(/^at .*decide/)]),
        msg: 'fault while judging a request',
      },
    ]);
    expect(log.join('')).not.toContain('hunter2');
  });
});

describe('connections', () => {
  test('one serves request after request', async () => {
    const started = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < 5; count += 1) {
      const { status, headers } = await call(started.endpoint, { agent, body: UNCHANGED });
      expect({ status, connection: headers.connection, keepAlive: headers['keep-alive'] }).toEqual({
        status: 200,
        connection: 'keep-alive',
        keepAlive: 'timeout=120',
      });
    }
    await settled(started, 1);
    agent.destroy();
    await settled(started, 0);
  });

  test('64 serve at once', async () => {
    const started = await start();
    const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });
    const calls = Array.from({ length: 64 }, () => call(started.endpoint, { agent, body: UNCHANGED }));
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(64).fill(200));
    await settled(started, 64);
    agent.destroy();
  });

  const BAD_REQUEST = [
    'HTTP/1.1 400 Bad Request',
    'Content-Type: application/json',
    'Content-Length: 127',
    'Connection: close',
    '',
    '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"the request is not HTTP/1.1","reason":"BadRequest","code":400}',
  ].join('\r\n');

  test.each([
    { what: 'no HTTP', sent: 'EHLO localhost\r\n\r\n' },
    { what: 'a header without a name', sent: 'POST /validate HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n' },
    {
      what: 'both a length and chunks',
      sent: 'POST /validate HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n',
    },
    { what: 'headers of 20 kB', sent: `POST /validate HTTP/1.1\r\nHost: a\r\nA: ${'b'.repeat(20_000)}\r\n\r\n` },
  ])('400 and the end for $what', async ({ sent }) => {
    const { endpoint } = await start();
    expect(await exchange(endpoint, sent)).toBe(BAD_REQUEST);
  });

  test('what follows a request that is answered early is not taken for the next one', async () => {
    const { endpoint } = await start();
    const answers = await exchange(endpoint, 'GET /validate HTTP/1.1\r\nHost: a\r\n\r\n{"apiVersion":"v1"}');
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 405']);
  });

  test.each<{ what: string; options: ConnectionOptions; protocol: unknown }>([
    { what: 'TLS 1.2', options: { maxVersion: 'TLSv1.2' }, protocol: 'TLSv1.2' },
    { what: 'TLS 1.3', options: { minVersion: 'TLSv1.3' }, protocol: 'TLSv1.3' },
    {
      what: 'no TLS 1.1',
      options: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      protocol: expect.stringMatching(/alert protocol version/),
    },
  ])('speak $what', async ({ options, protocol }) => {
    const { endpoint } = await start();
    expect(await handshake(endpoint, options)).toEqual(protocol);
  });

  test('speak nothing below TLS 1.3 where that is the least', async () => {
    const config = {
      bindAddress: '127.0.0.1',
      securePort: 0,
      metricsPort: undefined,
      tlsMinVersion: 'TLSv1.3',
      allowedClientNames: [],
      shutdownDelayMs: 0,
      shutdownTimeoutMs: 5_000,
    } as const;
    const { endpoint } = await start({ config });
    expect(await handshake(endpoint, { maxVersion: 'TLSv1.2' })).toMatch(/alert protocol version/);
    expect(await handshake(endpoint, {})).toBe('TLSv1.3');
  });

  test('speak HTTP/1.1, not HTTP/2', async () => {
    const { endpoint } = await start();
    const socket = await connected(endpoint, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });
});

function open({ port, ca }: Endpoint, options: ConnectionOptions): TLSSocket {
  return connect({ host: '127.0.0.1', port, ca, ...options });
}

async function connected(endpoint: Endpoint, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = open(endpoint, options);
  await once(socket, 'secureConnect');
  return socket;
}

/** Returns the version of TLS agreed upon, or why there is none. */
async function handshake(endpoint: Endpoint, options: ConnectionOptions): Promise<string | null> {
  try {
    const socket = await connected(endpoint, options);
    const protocol = socket.getProtocol();
    socket.destroy();
    return protocol;
  } catch (error) {
    return String(error);
  }
}

/** Sends text and returns everything that comes back until the server closes the connection. */
async function exchange(endpoint: Endpoint, sent: string): Promise<string> {
  const socket = await connected(endpoint);
  const received = text(socket);
  socket.write(sent);
  return received;
}
