import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions } from 'node:tls';

import { readClientAuthorities } from '../../src/tls/client-authorities.ts';
import { createAuthority, type Authority, type Issued } from '../../tools/certificates.ts';
import { eventually } from '../../tools/eventually.ts';
import { answerTo, requestOptions } from '../support/https-client.ts';
import { TF_JOB } from '../support/job.ts';
import { reviewText } from '../support/review.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

jest.setTimeout(60_000);

const UNCHANGED = reviewText({ oldObject: TF_JOB, object: TF_JOB });

let authority: Authority;
let other: Authority;
beforeAll(async () => {
  [authority, other] = await Promise.all([createAuthority(), createAuthority()]);
});

let undo = new AsyncDisposableStack();
afterEach(async () => {
  await undo.disposeAsync();
  undo = new AsyncDisposableStack();
});

interface Guarded extends TestServer {
  readonly file: string;
}

/** Starts a server that takes the calls of those only whom `authority` proves. */
async function start(...allowedClientNames: string[]): Promise<Guarded> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-clients-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, 'client-ca.crt');
  await writeFile(file, authority.cert);
  const config = {
    bindAddress: '127.0.0.1',
    securePort: 0,
    metricsPort: 0,
    tlsMinVersion: 'TLSv1.2',
    allowedClientNames,
    shutdownDelayMs: 0,
    shutdownTimeoutMs: 5_000,
  } as const;
  const clientAuthorities = { pem: await readClientAuthorities(file), file, pollMs: 5 };
  return { ...undo.use(await startTestServer({ config, clientAuthorities })), file };
}

async function callAs({ endpoint }: TestServer, client?: Issued): Promise<{ status: unknown; message: unknown }> {
  const request = httpsRequest({ ...requestOptions(endpoint, {}), ...client });
  const answer = answerTo(request);
  request.end(UNCHANGED);
  const { status, text } = await answer;
  const body: unknown = JSON.parse(text);
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined;
  return { status, message };
}

const ONLY = "this webhook requires the API server's client certificate";

describe('a caller', () => {
  test.each<{ what: string; client: () => Promise<Issued | undefined>; status: number; message?: string }>([
    { what: 'with a certificate of the authority', client: () => authority.issue('kube-apiserver'), status: 200 },
    {
      what: 'without a certificate',
      client: () => Promise.resolve(undefined),
      status: 401,
      message: `${ONLY}: UNABLE_TO_GET_ISSUER_CERT`,
    },
    {
      what: 'with that of another authority',
      client: () => other.issue('kube-apiserver'),
      status: 401,
      message: `${ONLY}: UNABLE_TO_VERIFY_LEAF_SIGNATURE`,
    },
    {
      what: 'with an expired one',
      client: () => authority.issue('kube-apiserver', { fromHours: -2, toHours: -1 }),
      status: 401,
      message: `${ONLY}: CERT_HAS_EXPIRED`,
    },
  ])('$what is answered $status', async ({ client, status, message }) => {
    expect(await callAs(await start(), await client())).toEqual({ status, message });
  });

  test.each([
    { by: 'its common name', allowed: ['a', 'kube-apiserver'], status: 200 },
    { by: 'an alternative name', allowed: ['localhost'], status: 200 },
    { by: 'an address', allowed: ['127.0.0.1'], status: 200 },
    { by: 'no name of its own', allowed: ['kube', 'apiserver', 'DNS:localhost', ''], status: 403 },
  ])('allowed by $by is answered $status', async ({ allowed, status }) => {
    const answer = await callAs(await start(...allowed), await authority.issue('kube-apiserver'));
    expect(answer).toEqual({
      status,
      message:
        status === 200
          ? undefined
          : 'the client certificate for ["kube-apiserver","localhost","127.0.0.1"] is not allowed (--allowed-client-names)',
    });
  });

  test('is told so before its body is looked at', async () => {
    const { endpoint } = await start();
    const request = httpsRequest(requestOptions(endpoint, { headers: { 'content-length': '1000000' } }));
    const answer = answerTo(request);
    request.flushHeaders();
    expect((await answer).status).toBe(401);
    request.destroy();
  });
});

describe('a TLS session that is resumed', () => {
  test.each([
    { what: 'of a proved client', client: () => authority.issue('kube-apiserver'), codes: [200, 200] },
    { what: 'of one without a certificate', client: () => Promise.resolve({}), codes: [401, 401] },
    { what: 'of one with that of another authority', client: () => other.issue('kube-apiserver'), codes: [401, 401] },
  ])('$what proves no more than the first did', async ({ client, codes }) => {
    const server = await start();
    const credentials = await client();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { ...credentials, maxVersion };
      const first = await exchange(server, options);
      const second = await exchange(server, { ...options, session: first.session });
      expect([first, second].map(({ isReused, code }) => [isReused, code])).toEqual([
        [false, codes[0]],
        [true, codes[1]],
      ]);
    }
  });

  test('is none once the authority is no longer trusted', async () => {
    const server = await start();
    const client = await authority.issue('kube-apiserver');
    const { session } = await exchange(server, client);
    await writeFile(server.file, other.cert);
    await eventually('the authority to go', async () =>
      (await callAs(server, client)).status === 401 ? true : undefined,
    );
    const { isReused, code } = await exchange(server, { ...client, session });
    expect([isReused, code]).toEqual([false, 401]);
  });
});

interface Exchange {
  readonly isReused: boolean;
  readonly code: number;
  readonly session: Buffer | undefined;
}

/** Sends one request over a connection of its own, and returns what could resume it. */
async function exchange({ endpoint }: TestServer, options: ConnectionOptions): Promise<Exchange> {
  const socket = connect({ host: '127.0.0.1', port: endpoint.port, ca: endpoint.ca, ...options });
  let session: Buffer | undefined;
  let isReused = false;
  socket.on('session', (resumable) => (session = resumable));
  socket.on('secureConnect', () => (isReused = socket.isSessionReused()));
  const head = 'POST /validate HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n';
  socket.write(`${head}Content-Length: ${Buffer.byteLength(UNCHANGED)}\r\n\r\n${UNCHANGED}`);
  const answer = await text(socket);
  return { isReused, code: Number(answer.split(' ')[1]), session };
}

describe('client authorities', () => {
  test('are read again when they change', async () => {
    const server = await start();
    const [old, young] = await Promise.all([authority.issue('old'), other.issue('young')]);
    await writeFile(server.file, authority.cert + other.cert);
    await eventually('the second authority', async () =>
      (await callAs(server, young)).status === 200 ? true : undefined,
    );
    expect((await callAs(server, old)).status).toBe(200);
    await writeFile(server.file, other.cert);
    await eventually('the first to go', async () => ((await callAs(server, old)).status === 401 ? true : undefined));
    expect((await callAs(server, young)).status).toBe(200);
  });

  test.each([
    { what: 'cut off', content: () => authority.cert.slice(0, -40) },
    { what: 'cut off after the first', content: () => `${authority.cert}\n${other.cert.slice(0, -40)}` },
    { what: 'empty', content: () => '' },
    { what: 'broken', content: () => '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' },
  ])('that are $what change nothing, and are logged once', async ({ content }) => {
    const server = await start();
    await writeFile(server.file, content());
    const refusals = (): Promise<string> =>
      server.metrics.registry.getSingleMetricAsString('jobguard_certificate_reloads_total');
    await eventually('two attempts', async () => (/failure"\} ([2-9]|\d\d)/.test(await refusals()) ? true : undefined));
    expect((await callAs(server, await authority.issue('kube-apiserver'))).status).toBe(200);
    expect(server.log.filter((line) => line.includes('client CA certificates rejected'))).toHaveLength(1);
  });
});
