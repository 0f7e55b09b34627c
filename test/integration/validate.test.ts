import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';

import { denialOf } from '../support/denial-wording.ts';
import { call, type Call } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { POLICY_HASH, REVIEW_UID, reviewText } from '../support/review.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const MAX_BYTES = 1024 * 1024;
const LABELLED = withValue(TF_JOB, '/metadata/labels/stage', 'final');
const ALLOWED = reviewText({ oldObject: TF_JOB, object: LABELLED });
const ALLOW = { decision: 'allow', mode: 'enforce', policy: POLICY_HASH };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ body: { maxBytes: MAX_BYTES } });
});
afterAll(() => server.end());

/** What a test compares of an answer: everything but what differs each time. */
async function answerTo(request: Call): Promise<unknown> {
  const { status, headers, text } = await call(server.endpoint, request);
  const { date, connection, 'keep-alive': keepAlive, 'content-length': length, ...others } = headers;
  expect({ date, length }).toEqual({ date: expect.any(String), length: String(Buffer.byteLength(text)) });
  expect(['close', 'keep-alive']).toContain(connection);
  expect([undefined, 'timeout=120']).toContain(keepAlive);
  const body: unknown = JSON.parse(text);
  return { status, headers: others, body };
}

function review(response: object): unknown {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: REVIEW_UID, ...response } },
  };
}

function failure(code: number, reason: string, message: unknown, headers: object = {}): unknown {
  return {
    status: code,
    headers: { 'content-type': 'application/json', ...headers },
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code },
  };
}

describe('POST /validate answers', () => {
  test('an update of what may change', async () => {
    expect(await answerTo({ body: ALLOWED })).toEqual(review({ allowed: true, auditAnnotations: ALLOW }));
  });

  test('an update of what may not', async () => {
    const body = reviewText({ oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/runPolicy/backoffLimit', 4) });
    expect(await answerTo({ body })).toEqual(
      review({
        allowed: false,
        status: {
          status: 'Failure',
          code: 403,
          reason: 'Forbidden',
          message: denialOf('tfjobs.kubeflow.org "mnist"', ['spec.runPolicy.backoffLimit (3 → 4)']),
          details: {
            group: 'kubeflow.org',
            kind: 'tfjobs',
            name: 'mnist',
            uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff',
            causes: [
              { reason: 'FieldValueForbidden', field: 'spec.runPolicy.backoffLimit', message: expect.any(String) },
            ],
          },
        },
        auditAnnotations: {
          decision: 'deny',
          mode: 'enforce',
          'denied-paths': '["/spec/runPolicy/backoffLimit"]',
          'denied-count': '1',
          policy: POLICY_HASH,
        },
      }),
    );
  });

  test.each<{ what: string; request: Call }>([
    { what: 'a query', request: { path: '/validate?timeout=5s' } },
    { what: 'a charset of UTF-8', request: { headers: { 'content-type': 'application/json; charset=utf-8' } } },
    { what: 'capitals and quotes', request: { headers: { 'content-type': 'Application/JSON;charset="UTF-8"' } } },
    { what: 'the content encoding "identity"', request: { headers: { 'content-encoding': 'identity' } } },
    { what: 'a chunked body', request: { headers: { 'transfer-encoding': 'chunked' } } },
    { what: 'a body of the largest size', request: { body: ALLOWED.padEnd(MAX_BYTES) } },
  ])('the same with $what', async ({ request }) => {
    expect(await answerTo({ body: ALLOWED, ...request })).toEqual(review({ allowed: true, auditAnnotations: ALLOW }));
  });

  test.each([
    { what: 'an object of null', review: { oldObject: TF_JOB, object: null } },
    { what: 'no old object', review: { oldObject: null, object: TF_JOB } },
    { what: 'an object that is a list', review: { oldObject: TF_JOB, object: [] } },
    { what: 'a subresource that is not known', review: { subResource: 'log', oldObject: TF_JOB, object: TF_JOB } },
    {
      what: 'an object of 20 000 levels that gets one more',
      review: { oldObject: nested(20_000), object: nested(20_001) },
    },
  ])('403 for $what, since failurePolicy must be no way round', async ({ review: asked }) => {
    expect(await answerTo({ body: reviewText(asked) })).toEqual(
      review({
        allowed: false,
        status: {
          status: 'Failure',
          code: 403,
          reason: 'Forbidden',
          message: expect.any(String),
          details: expect.objectContaining({ group: 'kubeflow.org', kind: 'tfjobs', name: 'mnist' }),
        },
        auditAnnotations: expect.objectContaining({ mode: 'enforce', policy: POLICY_HASH }),
      }),
    );
  });
});

describe('what cannot be judged gets a Status', () => {
  test.each([
    { what: 'no body', body: '' },
    { what: 'half a body', body: ALLOWED.slice(0, 1000) },
    { what: 'a byte order mark', body: `\uFEFF${ALLOWED}` },
    { what: 'two documents', body: ALLOWED + ALLOWED },
  ])('400: $what', async ({ body }) => {
    expect(await answerTo({ body })).toEqual(failure(400, 'BadRequest', 'the request body is not JSON'));
  });

  test('400: a byte that is not UTF-8', async () => {
    const body = Buffer.from(ALLOWED.replace('jane', '\xff'), 'latin1');
    expect(await answerTo({ body })).toEqual(failure(400, 'BadRequest', 'the request body is not UTF-8'));
  });

  test.each([
    { what: 'a list', body: '[]', problem: /: must be object$/ },
    { what: 'another kind', body: ALLOWED.replace('"AdmissionReview"', '"Status"'), problem: /: \/kind must be / },
    { what: 'v1beta1', body: ALLOWED.replace('k8s.io/v1"', 'k8s.io/v1beta1"'), problem: /: \/apiVersion must be / },
    { what: 'no request', body: ALLOWED.replace('"request"', '"response"'), problem: /: must have .* 'request'$/ },
    { what: 'no uid', body: ALLOWED.replace('"uid"', '"id"'), problem: /: \/request must have .* 'uid'$/ },
    { what: 'a uid of 7', body: ALLOWED.replace(`"${REVIEW_UID}"`, '7'), problem: /: \/request\/uid must be string$/ },
    { what: 'an empty uid', body: ALLOWED.replace(REVIEW_UID, ''), problem: /: \/request\/uid must NOT / },
  ])('400: $what', async ({ body, problem }) => {
    const message = new RegExp(`^not an admission\\.k8s\\.io/v1 AdmissionReview${problem.source}`);
    expect(await answerTo({ body })).toEqual(failure(400, 'BadRequest', expect.stringMatching(message)));
  });

  test.each([
    { what: 'no Content-Type', headers: { 'content-type': '' } },
    { what: 'text', headers: { 'content-type': 'text/plain' } },
    { what: 'another charset', headers: { 'content-type': 'application/json; charset=utf-16' } },
    { what: 'a longer name', headers: { 'content-type': 'application/json-patch+json' } },
  ])('415: $what', async ({ headers }) => {
    expect(await answerTo({ headers, body: ALLOWED })).toEqual(
      failure(415, 'UnsupportedMediaType', 'the Content-Type must be application/json'),
    );
  });

  test.each(['gzip', 'br', 'gzip, identity'])('415: a body in the Content-Encoding %s', async (encoding) => {
    expect(await answerTo({ headers: { 'content-encoding': encoding }, body: gzipSync(ALLOWED) })).toEqual(
      failure(415, 'UnsupportedMediaType', 'the request body must not have a Content-Encoding'),
    );
  });

  test.each([
    { how: 'announced', headers: {} },
    { how: 'found out on the way', headers: { 'transfer-encoding': 'chunked' } },
  ])('413: a byte too many, $how', async ({ headers }) => {
    expect(await answerTo({ headers, body: ALLOWED.padEnd(MAX_BYTES + 1) })).toEqual(
      failure(413, 'RequestEntityTooLarge', `the request body is larger than ${MAX_BYTES} bytes (--max-request-bytes)`),
    );
  });

  test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('405: %s', async (method) => {
    expect(await answerTo({ method, body: ALLOWED })).toEqual(
      failure(405, 'MethodNotAllowed', 'an AdmissionReview is sent by POST', { allow: 'POST' }),
    );
  });

  test.each([
    ...['/', '/validate/', '/VALIDATE', '//validate', '/validate/x', '/validat', '/%', '/validate%2F'],
    ...['/metrics', '/livez', '/readyz', '/version', '/mutate'],
  ])('404: %s', async (path) => {
    for (const method of ['POST', 'GET']) {
      expect(await answerTo({ method, path, body: ALLOWED })).toEqual(
        failure(404, 'NotFound', 'there is nothing here: an AdmissionReview is sent to /validate'),
      );
    }
  });
});

function nested(levels: number): string {
  return `{"spec":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`;
}
