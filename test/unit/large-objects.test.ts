import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { causeOf } from '../support/denial-wording.ts';
import type { Judged } from './judging-worker.ts';
import { TF_JOB } from '../support/job.ts';
import { reviewText } from '../support/review.ts';

// The bounds are on the processor's time; the clock's is a busy machine's own affair.
jest.setTimeout(60_000);

const MEBIBYTE = 1_048_576;

/** How often each review is judged: the fastest run is the one that a busy machine disturbed least. */
const RUNS = 7;

/**
 * Most that judging may cost, parsing included, in parsings of the same text. It costs 1.2 of them where nothing differs,
 * and 3.4 where the last byte does, seven levels down.
 */
const MAX_PARSINGS = 6;

/** The same for many changes. They cost 5 to 14 of them, at the deepest level as at the top. */
const MAX_PARSINGS_OF_CHANGES = 25;

/** What judging may take: a worker that needs more memory is ended, and the test with it. */
const MEMORY_LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32 };

// A thread of its own has limits of its own, and is not slowed down by the sandbox that tests run in.
let worker: Worker;
beforeAll(() => {
  worker = new Worker(new URL('./judging-worker.ts', import.meta.url), { resourceLimits: MEMORY_LIMITS });
});
afterAll(() => worker.terminate());

function judge(text: string): Promise<Judged> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners().once('error', reject);
    worker.once('message', (judged: Judged) => {
      resolve(judged);
    });
    worker.postMessage(text);
  });
}

/** Judges a review and holds it to the second that any may take. */
async function judgeInTime(text: string): Promise<Judged['response']> {
  const { response, milliseconds } = await judge(text);
  expect(milliseconds).toBeLessThan(1_000);
  return response;
}

/** Judges a review several times and returns how many parsings of its text it costs, as the median of all. */
async function parsingsOf(text: string, expected: object): Promise<number> {
  const ratios: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { response, milliseconds, parsingMilliseconds } = await judge(text);
    expect(response).toMatchObject(expected);
    ratios.push(milliseconds / parsingMilliseconds);
  }
  const [median = NaN] = ratios.sort((a, b) => a - b).slice(RUNS >> 1);
  return median;
}

function review(before: string, after: string): string {
  return reviewText({ oldObject: `{"spec": {${before}}}`, object: `{"spec": {${after}}}` });
}

describe.each([600, 10_000])('%d levels of nesting', (levels) => {
  const lists = (inner: string): string => `"x": ${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
  const maps = (inner: string): string => `"x": ${'{"a":'.repeat(levels)}${inner}${'}'.repeat(levels)}`;

  test.each([
    ['lists', lists],
    ['maps', maps],
  ])('of %s that are equal are allowed', async (_title, nest) => {
    expect((await judgeInTime(review(nest('1'), nest('1')))).allowed).toBe(true);
  });

  test.each([
    ['lists', lists, '/0/0/0'],
    ['maps', maps, '/a/a/a'],
  ])('of %s that differ at the bottom are denied for that one', async (_title, nest, segments) => {
    const { allowed, auditAnnotations } = await judgeInTime(review(nest('1'), nest('2')));
    expect({ allowed, count: auditAnnotations['denied-count'] }).toEqual({ allowed: false, count: '1' });
    const paths = auditAnnotations['denied-paths'] ?? '';
    expect(paths.startsWith(`["/spec/x${segments}`)).toBe(true);
    expect(paths.endsWith(`${segments}"]`)).toBe(true);
    expect(paths).toHaveLength(512 + '[""]'.length);
  });

  test.each([
    ['lists', lists],
    ['maps', maps],
  ])('of %s that are added are denied as one change', async (_title, nest) => {
    const { status, auditAnnotations } = await judgeInTime(review('', nest('1')));
    expect(auditAnnotations['denied-paths']).toBe('["/spec/x"]');
    expect(status?.details.causes).toEqual([
      { reason: 'FieldValueForbidden', field: 'spec.x', message: causeOf('added') },
    ]);
  });

  test('in a label are allowed', async () => {
    const text = reviewText({ oldObject: '{}', object: `{"metadata": {"labels": {${maps('1')}}}}` });
    expect((await judgeInTime(text)).allowed).toBe(true);
  });

  test('in a run policy that is added are denied as one change', async () => {
    const { auditAnnotations } = await judgeInTime(review('', `"runPolicy": {${maps('1')}}`));
    expect(auditAnnotations['denied-paths']).toBe('["/spec/runPolicy/x"]');
  });
});

test('a list of 250 000 items, shifted by one, is denied: ten items are named and all are counted', async () => {
  const items = Array.from({ length: 250_000 }, (_, index) => String(index)).join(',');
  const { allowed, auditAnnotations } = await judgeInTime(review(`"x": [${items}]`, `"x": [-1,${items}]`));
  expect(allowed).toBe(false);
  expect(auditAnnotations).toMatchObject({
    'denied-count': '250001',
    'denied-paths': JSON.stringify(Array.from({ length: 10 }, (_, index) => `/spec/x/${index}`)),
  });
});

test('an object of 50 000 keys, all of them other ones, is denied', async () => {
  const keys = (prefix: string): string =>
    Array.from({ length: 50_000 }, (_, index) => `"${prefix}${index}": 1`).join(',');
  const { auditAnnotations } = await judgeInTime(review(`"x": {${keys('a')}}`, `"x": {${keys('b')}}`));
  expect(auditAnnotations['denied-count']).toBe('100000');
});

describe('an object of 1.5 MiB', () => {
  const variable = (index: number): string => `{"name": "VARIABLE_${index}", "value": "value ${index} of a long list"}`;
  const variables = Array.from({ length: 25_000 }, (_, index) => variable(index));
  const job = (last: string, note: string): string =>
    `{"metadata": {"annotations": {"note": "${note}"}}, "spec": {"tfReplicaSpecs": {"Worker": {"template": {"spec":
      {"containers": [{"name": "tensorflow", "env": [${variables.join(',')},${last}]}]}}}}}}`;
  const last = variable(25_000);
  const other = last.replace('long', 'lonG');

  test.each<[string, string, string, object]>([
    ['that is the same', last, 'a', { allowed: true }],
    ['with one byte of an annotation changed', last, 'b', { allowed: true }],
    [
      'with its last byte changed',
      other,
      'a',
      {
        allowed: false,
        auditAnnotations: {
          'denied-paths': '["/spec/tfReplicaSpecs/Worker/template/spec/containers/0/env/25000/value"]',
        },
      },
    ],
  ])('%s is judged in the time of parsing it six times', async (_title, changed, note, expected) => {
    const text = reviewText({ oldObject: job(last, 'a'), object: job(changed, note) });
    expect(text.length).toBeGreaterThan(3 * MEBIBYTE);
    expect(await parsingsOf(text, expected)).toBeLessThan(MAX_PARSINGS);
  });
});

describe('100 000 changes of items, or 25 000 of fields,', () => {
  const ITEMS = 100_000;
  const FIELDS = 25_000;
  const nested = (levels: number, open: string, inner: string, close: string): string =>
    `${open.repeat(levels)}${inner}${close.repeat(levels)}`;
  const items = (value: string): string =>
    Array.from({ length: ITEMS }, (_, index) => `"${value} ${String(index).padStart(8, '0')}"`).join(',');
  const fields = (value: string): string =>
    Array.from({ length: FIELDS }, (_, index) => `"${index} of many":${value}`).join(',');
  const protectedField = (value: string): string => `{"spec": {"x": ${value}}}`;
  const allowedField = (value: string): string => `{"metadata": {"annotations": {"x": ${value}}}}`;
  const longKey = `{"${'key'.repeat(300)}":`;

  interface Row {
    readonly title: string;
    readonly object: (value: string) => string;
    readonly values: readonly [before: string, after: string];
    readonly deniedCount: number;
  }
  const rows: readonly Row[] = [
    {
      title: 'in a list at the top',
      object: (value) => protectedField(`[${items(value)}]`),
      values: ['old', 'new'],
      deniedCount: ITEMS,
    },
    {
      title: 'in a list at 5 000 levels',
      object: (value) => protectedField(nested(5_000, '[', items(value), ']')),
      values: ['old', 'new'],
      deniedCount: ITEMS,
    },
    {
      title: 'in a list at 9 990 levels',
      object: (value) => protectedField(nested(9_990, '[', items(value), ']')),
      values: ['old', 'new'],
      deniedCount: ITEMS,
    },
    {
      title: 'in a list at 9 990 levels of an annotation',
      object: (value) => allowedField(nested(9_990, '[', items(value), ']')),
      values: ['old', 'new'],
      deniedCount: 0,
    },
    {
      title: 'of fields that come at 9 990 levels',
      object: (value) => protectedField(nested(9_990, '{"a":', `{${value}}`, '}')),
      values: ['', fields('{}')],
      deniedCount: FIELDS,
    },
    {
      title: 'of fields below 1 000 keys of 900 characters',
      object: (value) => protectedField(nested(1_000, longKey, `{${fields(value)}}`, '}')),
      values: ['1', '2'],
      deniedCount: FIELDS,
    },
  ];
  test.each(rows)('$title are judged in the time of parsing them 25 times', async (row) => {
    const [before, after] = row.values;
    const text = reviewText({ oldObject: row.object(before), object: row.object(after) });
    const expected = row.deniedCount === 0 ? { allowed: true } : { allowed: false };
    const counted = row.deniedCount === 0 ? {} : { 'denied-count': String(row.deniedCount) };
    const parsings = await parsingsOf(text, { ...expected, auditAnnotations: counted });
    process.stdout.write(`${row.title}: ${parsings.toFixed(1)} parsings of ${text.length} characters\n`);
    expect(parsings).toBeLessThan(MAX_PARSINGS_OF_CHANGES);
  });
});

test('a quantity of a hundred million digits costs nothing', async () => {
  const limit = (cpu: string): string =>
    `"tfReplicaSpecs": {"PS": {"template": {"spec": {"overhead": {"cpu": ${cpu}}}}}}`;
  const { response, milliseconds } = await judge(review(limit('"1e100000000"'), limit('10e99999999')));
  expect(response.allowed).toBe(true);
  expect(milliseconds).toBeLessThan(50);
});

test('a key of a mebibyte is denied and shortened', async () => {
  const { status } = await judgeInTime(review('', `"${'k'.repeat(MEBIBYTE)}": 1`));
  expect(status?.message).toContain(`spec["${'k'.repeat(32)}…${'k'.repeat(31)}"] (unset → 1); only`);
});

test('a number of a mebibyte is compared to its last digit', async () => {
  const digits = '9'.repeat(MEBIBYTE);
  expect((await judgeInTime(review(`"x": ${digits}`, `"x": ${digits}.0`))).allowed).toBe(true);
  expect((await judgeInTime(review(`"x": ${digits}`, `"x": ${digits.slice(0, -1)}8`))).allowed).toBe(false);
});

test('a number of twenty digits makes reading a body at most half as long again, whatever else it holds', async () => {
  const job = JSON.stringify(TF_JOB);
  const many = (count: number, item: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => item(index)).join(',');
  const bodies = {
    jobs: many(100, () => job),
    emptyMaps: many(60_000, () => '{}'),
    numbers: many(100_000, (index) => `${index % 10}`),
    shapes: many(20_000, (index) => `{"key${index}":1}`),
    keys: `{${many(30_000, (index) => `"key${index}":1`)}}`,
    levels: `${'{"a":['.repeat(30_000)}${']}'.repeat(30_000)}`,
    digitsInStrings: many(10_000, () => '"[12345678901234567890,12345678901234567890]"'),
  };
  const fastest = { plain: 0, exact: 0 };
  for (const [what, items] of Object.entries(bodies)) {
    const text = (number: string): string => reviewText({ oldObject: '{}', object: `[${items},${number}]` });
    let [plain, exact] = [Infinity, Infinity];
    // By turns, so that a machine that is busy for a while is so for both; more of them while it is.
    for (let run = 0; run < 20 || (exact > 1.5 * plain && run < 200); run += 1) {
      plain = Math.min(plain, (await judge(text('1.5'))).elapsedMs);
      exact = Math.min(exact, (await judge(text('12345678901234567890'))).elapsedMs);
    }
    process.stdout.write(`${what}: ${plain.toFixed(1)} ms, with a long number ${exact.toFixed(1)} ms\n`);
    // Half a millisecond is what a busy machine makes of nothing.
    expect([what, exact < 1.5 * plain + 0.5]).toEqual([what, true]);
    fastest.plain += plain;
    fastest.exact += exact;
  }
  expect(fastest.exact).toBeLessThan(1.5 * fastest.plain);
});
