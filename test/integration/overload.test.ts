import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect } from 'node:tls';

import { eventually } from '../../tools/eventually.ts';
import { answerTo, call, requestOptions, type Endpoint } from '../support/https-client.ts';
import { TF_JOB } from '../support/job.ts';
import { reviewText } from '../support/review.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

jest.setTimeout(120_000);

const UNCHANGED = reviewText({ oldObject: TF_JOB, object: TF_JOB });
const SLOW_CONNECTIONS = 200;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

async function start(...overrides: Parameters<typeof startTestServer>): Promise<TestServer> {
  const server = await startTestServer(...overrides);
  cleanups.push(() => server.end());
  return server;
}

/** Keeps a connection, from another address than the API server's, until the test ends. */
function keep<S extends Socket>(socket: S): S {
  socket.on('error', () => undefined);
  cleanups.push(() => socket.destroy());
  return socket;
}

const HOSTILE = { localAddress: '127.0.0.66' };

/** The ways to be slow; each opens a connection that asks nothing for as long as it is let. */
const SLOW: Readonly<Record<string, (endpoint: Endpoint) => void>> = {
  'never shake hands': ({ port }) => {
    keep(connectPlain({ host: '127.0.0.1', port, ...HOSTILE }));
  },
  'send nothing': ({ port, ca }) => {
    keep(connect({ host: '127.0.0.1', port, ca, ...HOSTILE }));
  },
  'send one header after the other': ({ port, ca }) => {
    const socket = keep(connect({ host: '127.0.0.1', port, ca, ...HOSTILE }));
    socket.write('POST /validate HTTP/1.1\r\nHost: a\r\n');
    const drip = setInterval(() => socket.write('A: b\r\n'), 500);
    cleanups.push(() => clearInterval(drip));
  },
  'send one byte of a body after the other': (endpoint) => {
    const headers = { 'content-length': '10000000' };
    const request = httpsRequest({ ...requestOptions(endpoint, { headers }), ...HOSTILE });
    request.on('error', () => undefined).on('response', (response) => response.resume());
    const drip = setInterval(() => request.write(' '), 500);
    cleanups.push(
      () => clearInterval(drip),
      () => request.destroy(),
    );
  },
  'never read their answers': (endpoint) => {
    const socket = keep(connect({ host: '127.0.0.1', port: endpoint.port, ca: endpoint.ca, ...HOSTILE }));
    socket.pause();
    const head = `POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(UNCHANGED)}`;
    socket.write(`${head}\r\n\r\n${UNCHANGED}`.repeat(20));
  },
};

/** Calls as the API server does, on connections that stay open and on new ones, and returns the times, sorted. */
async function latencies(endpoint: Endpoint, count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const begun = performance.now();
    const { status } = await call(endpoint, { body: UNCHANGED, ...(index % 4 === 0 ? {} : { agent }) });
    times.push(performance.now() - begun);
    expect(status).toBe(200);
  }
  agent.destroy();
  return times.toSorted((one, other) => one - other);
}

function percentile(times: readonly number[], share: number): number {
  return Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN);
}

describe(`${SLOW_CONNECTIONS} clients that`, () => {
  test.each(Object.entries(SLOW))('%s do not delay the API server', async (what, open) => {
    const server = await start();
    const alone = await latencies(server.endpoint, 100);
    for (let index = 0; index < SLOW_CONNECTIONS; index += 1) open(server.endpoint);
    await eventually('the slow connections', () =>
      Promise.resolve(server.metrics.connections.value >= SLOW_CONNECTIONS || undefined),
    );
    const besides = await latencies(server.endpoint, 200);
    const [before, after] = [percentile(alone, 0.99), percentile(besides, 0.99)];
    process.stdout.write(`p99 beside ${SLOW_CONNECTIONS} clients that ${what}: ${after} ms (alone: ${before} ms)\n`);
    // A fifth of the five seconds that the API server waits; a machine that does other things too may take 100 ms.
    expect(after).toBeLessThan(1_000);
  });
});

describe('connections beyond the limit', () => {
  test('cost the client that has most of them one that it does not use; the API server always gets in', async () => {
    const server = await start({ maxConnections: 50 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    expect((await call(server.endpoint, { agent, body: UNCHANGED })).status).toBe(200);
    const opened = Array.from({ length: 120 }, () =>
      keep(connectPlain({ host: '127.0.0.1', port: server.securePort, ...HOSTILE })),
    );
    await Promise.all(opened.filter(({ connecting }) => connecting).map((socket) => once(socket, 'connect')));
    await eventually('the limit to be kept', () =>
      Promise.resolve(server.metrics.connections.value === 50 || undefined),
    );
    expect(await latencies(server.endpoint, 20)).toHaveLength(20);
    const reused = await call(server.endpoint, { agent, body: UNCHANGED });
    expect(reused.status).toBe(200);
    await eventually('the oldest to be closed', async () =>
      Promise.resolve(opened.slice(0, 60).every((socket) => socket.destroyed || socket.closed) ? true : undefined),
    );
    expect(opened.slice(-40).some((socket) => socket.destroyed)).toBe(false);
  });

  test('cost a connection that was answered rather than an older one with a request under way', async () => {
    const server = await start({ maxConnections: 2 });
    const headers = { 'content-length': String(Buffer.byteLength(UNCHANGED)) };
    const request = httpsRequest({ ...requestOptions(server.endpoint, { headers }), ...HOSTILE });
    const answered = answerTo(request);
    request.write(UNCHANGED.slice(0, 10));
    await eventually('the request', () => Promise.resolve(server.metrics.requestsInFlight.value === 1 || undefined));

    const agent = new Agent({ keepAlive: true, ...HOSTILE });
    cleanups.push(() => agent.destroy());
    expect((await call(server.endpoint, { agent, body: UNCHANGED })).status).toBe(200);
    await eventually('its end', () => Promise.resolve(server.metrics.requestsInFlight.value === 1 || undefined));

    keep(connectPlain({ host: '127.0.0.1', port: server.securePort }));
    await eventually('the answered one to be closed', () =>
      Promise.resolve(Object.values(agent.freeSockets).length === 0 || undefined),
    );
    request.end(UNCHANGED.slice(10));
    expect((await answered).status).toBe(200);
  });

  test('spare a request under way', async () => {
    const server = await start({ maxConnections: 3 });
    const headers = { 'content-length': String(Buffer.byteLength(UNCHANGED)) };
    const request = httpsRequest({ ...requestOptions(server.endpoint, { headers }), ...HOSTILE });
    const answered = answerTo(request);
    request.write(UNCHANGED.slice(0, 10));
    await eventually('the request', () => Promise.resolve(server.metrics.requestsInFlight.value === 1 || undefined));
    for (let index = 0; index < 10; index += 1) {
      const socket = keep(connectPlain({ host: '127.0.0.1', port: server.securePort, ...HOSTILE }));
      await once(socket, 'connect');
    }
    await eventually('the limit to be kept', () =>
      Promise.resolve(server.metrics.connections.value === 3 || undefined),
    );
    request.end(UNCHANGED.slice(10));
    expect((await answered).status).toBe(200);
    request.destroy();
  });
});

test('large bodies of one client leave room for those of another', async () => {
  const server = await start({ body: { maxBytes: 1_000_000 } });
  const held = Array.from({ length: 6 }, () => {
    const headers = { 'content-length': '1000000' };
    const request = httpsRequest({ ...requestOptions(server.endpoint, { headers }), ...HOSTILE });
    request.on('error', () => undefined).on('response', (response) => response.resume());
    request.write(' '.repeat(900_000));
    return request;
  });
  cleanups.push(() => {
    for (const request of held) request.destroy();
  });
  await eventually('all of them', () => Promise.resolve(server.metrics.requestsInFlight.value === 6 || undefined));
  const padded = UNCHANGED + ' '.repeat(900_000);
  // The others hold what they have for 15 s: one that had to wait for them would be answered 503.
  expect((await call(server.endpoint, { path: '/validate?timeout=5s', body: padded })).status).toBe(200);
});

test('connections to the plain port are bounded, too, and probes get through', async () => {
  const server = await start({ maxConnections: 50 });
  const port = server.metricsPort ?? 0;
  const opened = Array.from({ length: 200 }, () => keep(connectPlain({ host: '127.0.0.1', port, ...HOSTILE })));
  await eventually('those beyond the limit to be closed', async () =>
    Promise.resolve(opened.filter(({ closed }) => closed).length >= 150 ? true : undefined),
  );
  const codes = await Promise.all(
    ['/livez', '/readyz', '/metrics'].map(async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status),
  );
  expect(codes).toEqual([200, 200, 200]);
});
