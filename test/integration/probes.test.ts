import { afterEach, describe, expect, test } from '@jest/globals';

import { createAuthority } from '../../tools/certificates.ts';
import { call } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { policyWith, reviewText, type Review } from '../support/review.ts';
import { startTestServer, TEST_BUILD, type TestServer } from '../support/server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.end();
  server = undefined;
});

async function start(...overrides: Parameters<typeof startTestServer>): Promise<TestServer> {
  server = await startTestServer(...overrides);
  return server;
}

interface PlainAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function get({ metricsPort }: TestServer, path: string, init: RequestInit = {}): Promise<PlainAnswer> {
  const response = await fetch(`http://127.0.0.1:${metricsPort ?? 0}${path}`, init);
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

function inHours(hours: number): Date {
  return new Date(Date.now() + hours * 3_600_000);
}

const TEXT = 'text/plain; charset=utf-8';

describe('the plain port', () => {
  test('is alive', async () => {
    expect(await get(await start(), '/livez')).toEqual({ status: 200, type: TEXT, body: 'ok' });
  });

  test('is ready, and says by what when asked', async () => {
    const started = await start();
    expect(await get(started, '/readyz')).toEqual({ status: 200, type: TEXT, body: 'ok' });
    expect(await get(started, '/readyz?verbose')).toEqual({
      status: 200,
      type: TEXT,
      body: '[+]listening ok\n[+]certificate ok\n[+]shutdown ok\nreadyz check passed\n',
    });
  });

  test.each([
    { when: 'the certificate has expired', from: -2, to: -1, problem: 'expired on ' },
    { when: 'the certificate is not valid yet', from: 1, to: 2, problem: 'is not valid before ' },
    { when: 'there is no certificate yet', from: undefined, to: undefined, problem: 'is not loaded yet' },
  ])('is alive but not ready when $when', async ({ from, to, problem }) => {
    const keyPair =
      from === undefined
        ? undefined
        : { ...(await (await createAuthority()).issue('jobguard')), notBefore: inHours(from), notAfter: inHours(to) };
    const certificate = { keyPair, renew: undefined, delayMs: () => 0, now: () => new Date(), checks: [] };
    const started = await start({ certificate });
    expect(await get(started, '/readyz')).toEqual({
      status: 503,
      type: TEXT,
      body: expect.stringMatching(
        new RegExp(
          `^\\[\\+\\]listening ok\\n\\[-\\]certificate failed: ${problem}.*\\n\\[\\+\\]shutdown ok\\nreadyz check failed\\n$`,
        ),
      ),
    });
    expect(await get(started, '/livez')).toEqual({ status: 200, type: TEXT, body: 'ok' });
  });

  test.each(['/metrics', '/livez', '/readyz', '/version', '/elsewhere'])(
    'answers %s with no header but these',
    async (path) => {
      const { metricsPort } = await start();
      const response = await fetch(`http://127.0.0.1:${metricsPort ?? 0}${path}`);
      const expected = ['connection', 'content-length', 'content-type', 'date', 'keep-alive'];
      expect([...response.headers.keys()].sort()).toEqual(expected);
    },
  );

  test('tells the version', async () => {
    const { status, type, body } = await get(await start(), '/version');
    const version: unknown = JSON.parse(body);
    expect({ status, type, version }).toEqual({ status: 200, type: 'application/json', version: TEST_BUILD });
  });

  test.each([
    { method: 'GET', path: '/', code: 404, reason: 'NotFound', message: 'there is nothing here' },
    { method: 'POST', path: '/validate', code: 404, reason: 'NotFound', message: 'there is nothing here' },
    { method: 'GET', path: '/livez/', code: 404, reason: 'NotFound', message: 'there is nothing here' },
    { method: 'POST', path: '/metrics', code: 405, reason: 'MethodNotAllowed', message: 'GET only' },
    { method: 'DELETE', path: '/readyz', code: 405, reason: 'MethodNotAllowed', message: 'GET only' },
  ])('answers $code to $method $path', async ({ method, path, code, reason, message }) => {
    const { status, type, body } = await get(await start(), path, { method });
    const answer: unknown = JSON.parse(body);
    expect({ status, type, answer }).toEqual({
      status: code,
      type: 'application/json',
      answer: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code },
    });
  });
});

/** The samples of jobguard's own metrics that are not 0, without those that time or size decides. */
async function counts(from: TestServer): Promise<string[]> {
  const { body } = await get(from, '/metrics');
  return body
    .split('\n')
    .filter((line) => line.startsWith('jobguard_') && !line.endsWith(' 0') && !/_(bucket|sum|seconds)[{ ]/.test(line))
    .map((line) => line.slice('jobguard_'.length));
}

describe('metrics', () => {
  test('exist from the start', async () => {
    const { status, type, body } = await get(await start(), '/metrics');
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
    const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const families = Map.groupBy(samples, (line) => /^\w+?(?=(?:_bucket|_sum|_count)?[{ ])/.exec(line)?.[0]);
    expect(Object.fromEntries([...families].map(([name, lines]) => [name, lines.length]))).toEqual({
      // tfjobs, pytorchjobs × 5 decisions, and other out of scope, × 1 mode × dry run or not
      jobguard_admission_requests_total: 22,
      // 3 resources × 15 buckets, +Inf, sum and count
      jobguard_admission_duration_seconds: 54,
      // 2 resources × 13 classes of fields
      jobguard_denied_changes_total: 26,
      // 2 resources × user, service account, node and 3 presets that are off
      jobguard_denied_requests_total: 12,
      jobguard_exempted_requests_total: 1,
      // 8 buckets, +Inf, sum and count
      jobguard_admission_request_bytes: 11,
      jobguard_http_requests_total: 11,
      jobguard_http_requests_in_flight: 1,
      jobguard_http_connections: 1,
      jobguard_certificate_not_after_timestamp_seconds: 1,
      jobguard_certificate_reloads_total: 2,
      jobguard_policy_info: 1,
      jobguard_build_info: 1,
      jobguard_draining: 1,
    });
  });

  test('tell when the exemptions expire that do', async () => {
    const paths = ['/spec/runPolicy/suspend'];
    const policy = policyWith({
      exemptions: [
        { name: 'drain', usernames: ['jane'], paths, expires: '2027-01-31' },
        { name: 'expired', usernames: ['jane'], paths, expires: '2020-01-31T18:00:00+02:00' },
        { name: 'lasting', usernames: ['jane'], paths },
      ],
    });
    const { body } = await get(await start({ policy }), '/metrics');
    expect(body.split('\n').filter((line) => line.startsWith('jobguard_exemption_expires_timestamp_seconds'))).toEqual([
      `jobguard_exemption_expires_timestamp_seconds{exemption="drain"} ${Date.UTC(2027, 0, 31) / 1_000}`,
      `jobguard_exemption_expires_timestamp_seconds{exemption="expired"} ${Date.UTC(2020, 0, 31, 16) / 1_000}`,
    ]);
  });

  test.each<{ what: string; review: Review; counted: string[] }>([
    {
      what: 'an update that is let through',
      review: { oldObject: TF_JOB, object: TF_JOB },
      counted: [
        'admission_requests_total{resource="tfjobs",decision="allow",mode="enforce",dry_run="false"} 1',
        'admission_duration_seconds_count{resource="tfjobs"} 1',
      ],
    },
    {
      what: 'a denied dry run, and each change that it would have made',
      review: {
        dryRun: true,
        oldObject: TF_JOB,
        object: withValue(
          withValue(TF_JOB, '/spec/tfReplicaSpecs/PS/replicas', 2),
          '/spec/tfReplicaSpecs/Worker/template/spec/containers/0/env/0/value',
          'x',
        ),
      },
      counted: [
        'admission_requests_total{resource="tfjobs",decision="deny",mode="enforce",dry_run="true"} 1',
        'admission_duration_seconds_count{resource="tfjobs"} 1',
        'denied_changes_total{resource="tfjobs",field="env"} 1',
        'denied_changes_total{resource="tfjobs",field="replicas"} 1',
        'denied_requests_total{resource="tfjobs",writer="user"} 1',
      ],
    },
    {
      what: 'a denied update of Kueue under the name of its preset, which is off',
      review: {
        username: 'system:serviceaccount:kueue-system:kueue-controller-manager',
        oldObject: TF_JOB,
        object: withValue(TF_JOB, '/spec/runPolicy/suspend', true),
      },
      counted: [
        'admission_requests_total{resource="tfjobs",decision="deny",mode="enforce",dry_run="false"} 1',
        'admission_duration_seconds_count{resource="tfjobs"} 1',
        'denied_changes_total{resource="tfjobs",field="run_policy"} 1',
        'denied_requests_total{resource="tfjobs",writer="kueue"} 1',
      ],
    },
    {
      what: 'a refusal of what cannot be judged by who sent it',
      review: { username: 'system:serviceaccount:team:ci', subResource: 'exec', oldObject: TF_JOB, object: TF_JOB },
      counted: [
        'admission_requests_total{resource="tfjobs",decision="unjudgeable",mode="enforce",dry_run="false"} 1',
        'admission_duration_seconds_count{resource="tfjobs"} 1',
        'denied_requests_total{resource="tfjobs",writer="service_account"} 1',
      ],
    },
    {
      what: 'a denial that is only recorded, but not as a refused request',
      review: { namespace: 'sandbox-1', oldObject: TF_JOB, object: withValue(TF_JOB, '/metadata/finalizers', ['a/b']) },
      counted: [
        'admission_requests_total{resource="tfjobs",decision="deny",mode="audit",dry_run="false"} 1',
        'admission_duration_seconds_count{resource="tfjobs"} 1',
        'denied_changes_total{resource="tfjobs",field="metadata"} 1',
      ],
    },
    {
      what: 'an exempted update',
      review: {
        username: 'system:serviceaccount:kube-system:generic-garbage-collector',
        oldObject: TF_JOB,
        object: withValue(TF_JOB, '/metadata/finalizers', ['a.example.com/b']),
      },
      counted: [
        'admission_requests_total{resource="tfjobs",decision="exempt",mode="enforce",dry_run="false"} 1',
        'admission_duration_seconds_count{resource="tfjobs"} 1',
        'exempted_requests_total{exemption="garbageCollector"} 1',
      ],
    },
    {
      what: 'what cannot be judged, in a namespace where that is only recorded',
      review: { namespace: 'sandbox-1', resource: 'pytorchjobs', oldObject: TF_JOB, object: null },
      counted: [
        'admission_requests_total{resource="pytorchjobs",decision="unjudgeable",mode="audit",dry_run="false"} 1',
        'admission_duration_seconds_count{resource="pytorchjobs"} 1',
      ],
    },
    {
      what: 'a resource that is not guarded, under a name that everybody has',
      review: { group: '', resource: 'pods', oldObject: TF_JOB, object: TF_JOB },
      counted: [
        'admission_requests_total{resource="other",decision="out_of_scope",mode="enforce",dry_run="false"} 1',
        'admission_duration_seconds_count{resource="other"} 1',
      ],
    },
  ])('count $what', async ({ review, counted }) => {
    const policy = policyWith({ namespaceModes: [{ namespaces: ['sandbox-*'], mode: 'audit' }] });
    const started = await start({ policy });
    await call(started.endpoint, { body: reviewText(review) });
    const always = [
      'admission_request_bytes_count 1',
      'http_requests_total{code="200"} 1',
      `policy_info{hash="${policy.hash}"} 1`,
      'build_info{version="1.2.3",revision="f00ba4",node_version="24.0.0"} 1',
    ];
    expect((await counts(started)).toSorted()).toEqual([...counted, ...always].toSorted());
  });

  test('say when the certificate expires', async () => {
    const started = await start();
    const { body } = await get(started, '/metrics');
    const [, seconds] = /^jobguard_certificate_not_after_timestamp_seconds (\S+)$/m.exec(body) ?? [];
    expect(Math.abs(Number(seconds) - (Date.now() / 1000 + 3_600))).toBeLessThan(60);
  });

  test('come as OpenMetrics to whom prefers it, and the other way to the next', async () => {
    const started = await start();
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    const open = await get(started, '/metrics', { headers: { accept } });
    expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.body).toMatch(/^# TYPE jobguard_http_requests counter$/m);
    expect(open.body).toMatch(/^jobguard_http_requests_total\{code="200"\} 0$/m);
    expect(open.body).toMatch(/[^\n]\n# EOF\n$/);
    expect(open.body).not.toContain('\n\n');
    const plain = await get(started, '/metrics', { headers: { accept: 'text/plain;version=0.0.4' } });
    expect(plain.body).toMatch(/^# TYPE jobguard_http_requests_total counter$/m);
  });
});
