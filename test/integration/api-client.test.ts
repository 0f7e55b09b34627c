import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ApiError, createApiClient, type ApiAnswer } from '../../src/tls/self-managed/api-client.ts';
import { createAuthority } from '../../tools/certificates.ts';
import { freePort } from '../../tools/free-port.ts';

const SECRET = { method: 'GET', path: '/api/v1/namespaces/ns/secrets/tls' } as const;
const TIMEOUT_MS = 200;

const undo = new AsyncDisposableStack();
let folder: string;
let server: URL;
/** What the API server does next. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-api-client-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const authority = await createAuthority();
  await writeFile(join(folder, 'ca.crt'), authority.cert);
  await writeFile(join(folder, 'token'), 'secret-token\n');
  const listening = createServer(await authority.issue('kube-apiserver'), (request, response) => {
    answer(request, response);
  }).listen(0, '127.0.0.1');
  undo.defer(() => {
    listening.closeAllConnections();
    listening.close();
  });
  await once(listening, 'listening');
  const address = listening.address();
  server = new URL(`https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
});
afterAll(() => undo.disposeAsync());

/** Sends one request; returns the answer, or what went wrong. */
async function ask(to = server, credentials = folder): Promise<ApiAnswer | string> {
  return createApiClient(
    to,
    credentials,
    TIMEOUT_MS,
  )(SECRET).catch((error: unknown) => {
    if (error instanceof ApiError) return error.message.replaceAll(folder, 'folder');
    throw error;
  });
}

describe('a client of the API server', () => {
  test('is whom its token says, and learns what time it is', async () => {
    answer = ({ method, url, headers }, response) => {
      response.setHeader('Date', 'Thu, 01 Jan 2026 00:00:00 GMT');
      response.end(JSON.stringify({ method, url, authorization: headers.authorization }));
    };
    expect(await ask()).toEqual({
      status: 200,
      body: { method: 'GET', url: SECRET.path, authorization: 'Bearer secret-token' },
      date: new Date('2026-01-01T00:00:00Z'),
    });
  });

  test.each([404, 409])('leaves %d to the caller', async (status) => {
    answer = (_request, response) => response.writeHead(status).end('{}');
    expect(await ask()).toMatchObject({ status });
  });

  test.each([
    {
      what: 'a refusal',
      reply: (response: ServerResponse) => response.writeHead(403).end('{"message":"secrets \\"tls\\" is forbidden"}'),
      error: `the API server rejected GET ${SECRET.path}: 403 secrets "tls" is forbidden`,
    },
    {
      what: 'the page of a proxy in between',
      reply: (response: ServerResponse) => response.writeHead(502).end('<html>Bad Gateway</html>'),
      error: `the API server rejected GET ${SECRET.path}: 502 <html>Bad Gateway</html>`,
    },
    {
      what: 'a redirect, which is not followed',
      reply: (response: ServerResponse) => response.writeHead(302, { Location: 'https://example.com' }).end(),
      error: `the API server rejected GET ${SECRET.path}: 302 `,
    },
  ])('says what it was told: $what', async ({ reply, error }) => {
    answer = (_request, response) => reply(response);
    expect(await ask()).toBe(error);
  });

  test.each([
    { what: 'before the first byte', start: () => undefined },
    { what: 'within the answer', start: (response: ServerResponse) => response.write('{"metadata":') },
  ])('does not wait for ever where the server falls silent $what', async ({ start }) => {
    answer = (_request, response) => void start(response);
    expect(await ask()).toBe(
      `the API server at ${server.host} cannot be reached: GET ${SECRET.path}: no answer within ${TIMEOUT_MS} ms`,
    );
  });

  test('says so where nobody listens', async () => {
    const port = await freePort();
    expect(await ask(new URL(`https://127.0.0.1:${port}`))).toMatch(
      /^the API server at .* cannot be reached: .*ECONNREFUSED/,
    );
  });

  test('trusts nobody but the API server', async () => {
    const others = await mkdtemp(join(tmpdir(), 'jobguard-api-client-'));
    undo.defer(() => rm(others, { recursive: true }));
    await writeFile(join(others, 'token'), 'secret-token');
    await writeFile(join(others, 'ca.crt'), (await createAuthority()).cert);
    answer = (_request, response) => response.end('{}');
    expect(await ask(server, others)).toMatch(/cannot be reached: .*unable to verify the first certificate/);
  });

  test('says which credential is missing', async () => {
    expect(await ask(server, join(folder, 'none'))).toMatch(
      /^cannot read the ServiceAccount's credentials: Error: ENOENT: .*folder\/none\/(token|ca\.crt)/,
    );
  });
});
