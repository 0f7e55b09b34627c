import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

import { judge } from '../../src/server/judge.ts';
import { logExpiries } from '../../src/telemetry/expiries.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { policyWith, reviewText } from '../support/review.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2027, 0, 1);

/** A policy whose exemptions expire at these moments, by their names. */
const policyOf = (expires: Readonly<Record<string, string | null>>) =>
  policyWith({
    exemptions: Object.entries(expires).map(([name, moment]) => ({
      name,
      usernames: ['jane'],
      paths: ['/spec/runPolicy/suspend'],
      expires: moment,
    })),
  });

/** Watches exemptions and returns what is logged, each line as its time, message, exemption and moment. */
function watch(expires: Readonly<Record<string, string | null>>): string[] {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'text', write: (line) => lines.push(line.trimEnd()) });
  logExpiries(policyOf(expires).exemptions, log);
  return lines;
}

const ENDING = 'exemption expires within a week';
const EXPIRED = 'exemption expired';
const line = (time: string, msg: string, exemption: string, expires: string): string =>
  `${time} WARN  ${msg} exemption="${exemption}" expires="${expires}"`;

describe('an exemption that expires', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: START });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('permits updates until its moment, and none from then on', () => {
    const policy = policyOf({ drain: '2027-01-31' });
    const review = reviewText({ oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/runPolicy/suspend', true) });
    const outcome = (): string => judge(policy, review).verdict.decision.outcome;
    jest.setSystemTime(Date.UTC(2027, 0, 31) - 1);
    const before = outcome();
    jest.setSystemTime(Date.UTC(2027, 0, 31));
    expect([before, outcome()]).toEqual(['exempt', 'deny']);
  });

  test('is logged a week before, and when it has expired', () => {
    const lines = watch({ drain: '2027-01-31' });
    jest.advanceTimersByTime(60 * DAY_MS);
    expect(lines).toEqual([
      line('2027-01-24T00:00:00.000Z', ENDING, 'drain', '2027-01-31T00:00:00.000Z'),
      line('2027-01-31T00:00:00.000Z', EXPIRED, 'drain', '2027-01-31T00:00:00.000Z'),
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is logged at start where it is that late already', () => {
    const lines = watch({ old: '2020-01-31T18:00:00+02:00', near: '2027-01-03', later: '2027-03-01', lasting: null });
    expect(lines).toEqual([
      line('2027-01-01T00:00:00.000Z', EXPIRED, 'old', '2020-01-31T16:00:00.000Z'),
      line('2027-01-01T00:00:00.000Z', ENDING, 'near', '2027-01-03T00:00:00.000Z'),
    ]);
  });

  test('is logged within the hour where the clock is corrected', () => {
    const lines = watch({ drain: '2027-01-31' });
    jest.setSystemTime(Date.UTC(2027, 1, 2));
    jest.advanceTimersByTime(DAY_MS / 24);
    expect(lines).toEqual([line('2027-02-02T01:00:00.000Z', EXPIRED, 'drain', '2027-01-31T00:00:00.000Z')]);
  });

  test('keeps nothing awake where none does', () => {
    expect(watch({ lasting: null })).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
