import { afterEach, describe, expect, test } from '@jest/globals';

import { createLog, type LogFormat } from '../../src/telemetry/log.ts';
import { HINTS, UNJUDGEABLE } from '../support/denial-wording.ts';
import { call } from '../support/https-client.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { POLICY_HASH, REVIEW_UID, reviewText, type Review } from '../support/review.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.end();
  server = undefined;
});

/** Returns what a server logs about one request at `level`. */
async function logged(level: 'debug' | 'info', body: string, format: LogFormat = 'json'): Promise<string[]> {
  const lines: string[] = [];
  const log = createLog({ level, format, write: (line) => lines.push(line) });
  server = await startTestServer({ log });
  await call(server.endpoint, { body });
  return lines;
}

const EVENT = {
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  uid: REVIEW_UID,
  user: 'jane',
  resource: 'tfjobs.kubeflow.org',
  subresource: '',
  namespace: 'research',
  name: 'mnist',
  operation: 'UPDATE',
  mode: 'enforce',
  paths: [],
  exemption: '',
  policy: POLICY_HASH,
  dryRun: false,
  durationMs: expect.any(Number),
};

describe('the decision log', () => {
  test.each<{ what: string; review: Review; event: object }>([
    {
      what: 'a denial',
      review: { oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/tfReplicaSpecs/PS/replicas', 2), dryRun: true },
      event: {
        level: 'info',
        decision: 'deny',
        paths: ['/spec/tfReplicaSpecs/PS/replicas'],
        dryRun: true,
        msg: 'update not permitted',
      },
    },
    {
      what: 'a denial that a preset would prevent, with the way out',
      review: {
        username: 'system:serviceaccount:flyte:flytepropeller',
        oldObject: TF_JOB,
        object: withValue(TF_JOB, '/metadata/finalizers', ['a.example.com/b']),
      },
      event: {
        level: 'info',
        user: 'system:serviceaccount:flyte:flytepropeller',
        decision: 'deny',
        paths: ['/metadata/finalizers'],
        hint: HINTS.flyte,
        msg: 'update not permitted',
      },
    },
    {
      what: 'an exemption',
      review: {
        username: 'system:kube-controller-manager',
        oldObject: TF_JOB,
        object: withValue(TF_JOB, '/metadata/finalizers', ['a.example.com/b']),
      },
      event: {
        level: 'info',
        user: 'system:kube-controller-manager',
        decision: 'exempt',
        exemption: 'garbageCollector',
        msg: 'update allowed by an exemption',
      },
    },
    {
      what: 'what cannot be judged',
      review: { subResource: 'log', oldObject: TF_JOB, object: TF_JOB },
      event: {
        level: 'warn',
        subresource: 'log',
        decision: 'unjudgeable',
        reason: UNJUDGEABLE.unknownSubresource,
        msg: 'update could not be judged',
      },
    },
  ])('has a line for $what', async ({ review, event }) => {
    const lines = await logged('info', reviewText(review));
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([{ ...EVENT, ...event }]);
  });

  test.each<{ what: string; review: Review; event: object }>([
    {
      what: 'a plain allow',
      review: { oldObject: TF_JOB, object: TF_JOB },
      event: { level: 'debug', decision: 'allow', msg: 'update allowed' },
    },
    {
      what: 'what is out of scope',
      review: { group: '', resource: 'pods' },
      event: { level: 'debug', resource: 'pods', decision: 'out_of_scope', msg: 'request out of scope' },
    },
  ])('has a line for $what at debug alone', async ({ review, event }) => {
    const lines = await logged('debug', reviewText(review));
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([{ ...EVENT, ...event }]);
    await server?.end();
    expect(await logged('info', reviewText(review))).toEqual([]);
  });

  test.each<LogFormat>(['json', 'text'])(
    'as %s keeps to one line and to its length, whatever names are sent',
    async (format) => {
      const name = `a\n\u001b[31m\u202e\u2028" level=ERROR ${'b'.repeat(10_000)}`;
      const body = reviewText({ username: name, name, oldObject: TF_JOB, object: null });
      const [line = '', ...others] = await logged('info', body, format);
      expect(others).toEqual([]);
      expect(line).not.toMatch(/(?<!\\)" level=/);
      expect(line).toMatch(/^[\x20-\x7e…]+\n$/);
      expect(line.length).toBeLessThan(2_000);
    },
  );

  const SECRETS = ['hunter2', 'swordfish', 'correct-horse', 'xyzzy'];
  const CONTAINER = '/spec/tfReplicaSpecs/Worker/template/spec/containers/0';
  const PLANTED = [
    { at: `${CONTAINER}/env/0/value`, value: 'swordfish' },
    { at: `${CONTAINER}/args/1`, value: '--token=correct-horse' },
    { at: '/metadata/annotations/note', value: 'xyzzy' },
  ].reduce((job, { at, value }) => withValue(job, at, value), TF_JOB);

  test.each([
    { what: 'an update', body: reviewText({ oldObject: TF_JOB, object: PLANTED }) },
    { what: 'an object that cannot be judged', body: reviewText({ oldObject: TF_JOB, object: [PLANTED] }) },
    { what: 'half a review', body: reviewText({ oldObject: TF_JOB, object: PLANTED }).slice(0, -20) },
    {
      what: 'a review without a uid',
      body: reviewText({ oldObject: TF_JOB, object: PLANTED }).replace('"uid"', '"x"'),
    },
  ])('holds no value of the job in $what, and neither does the answer', async ({ body }) => {
    const started = await startTestServer();
    server = started;
    const { text } = await call(started.endpoint, { body });
    expect(SECRETS.filter((secret) => body.includes(secret))).toEqual(SECRETS);
    expect(SECRETS.filter((secret) => started.log.join('').includes(secret) || text.includes(secret))).toEqual([]);
    expect(started.log).not.toEqual([]);
  });

  test('can be text for people', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) });
    log.debug('not said');
    log.warn({ user: 'a "b"\n\u001b', count: 2, paths: ['/spec'] }, 'update denied');
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
    expect(lines.map((line) => line.replace(time, 'TIME'))).toEqual([
      'TIME WARN  update denied user="a \\"b\\"\\n\\u001b" count=2 paths=["/spec"]\n',
    ]);
  });
});
