import { describe, expect, test } from '@jest/globals';
import type { Change } from '../../src/core/diff.ts';
import { exactNumber, type JsonValue } from '../../src/core/json.ts';
import { misreading } from '../../src/core/misread.ts';
import { MISREAD } from '../support/denial-wording.ts';

const setTo = (newValue: JsonValue | undefined, ...path: string[]): Change => ({
  op: 'replace',
  path,
  oldValue: 1,
  newValue,
});

describe.each([
  ['where old releases keep it', ['spec']],
  ['in the run policy', ['spec', 'runPolicy']],
])('%s', (_title, place) => {
  test.each<[JsonValue | undefined]>([['None'], ['Running'], ['All'], [''], [null], [undefined]])(
    'cleanPodPolicy %j is understood',
    (value) => {
      expect(misreading(setTo(value, ...place, 'cleanPodPolicy'))).toBeUndefined();
    },
  );

  test.each<[JsonValue]>([['none'], ['Always'], ['All '], [0], [true], [{}], [['All']]])(
    'cleanPodPolicy %j is warned of',
    (value) => {
      expect(misreading(setTo(value, ...place, 'cleanPodPolicy'))).toBe(MISREAD.cleanPodPolicy);
    },
  );

  describe.each(['activeDeadlineSeconds', 'ttlSecondsAfterFinished'])('%s', (field) => {
    test.each<[JsonValue | undefined]>([
      [0],
      [-0],
      [1],
      [86400],
      [null],
      [undefined],
      [exactNumber('9007199254740993')],
    ])('may be %j', (value) => {
      expect(misreading(setTo(value, ...place, field))).toBeUndefined();
    });

    test.each<[JsonValue]>([
      [-1],
      [1.5],
      ['60'],
      [true],
      [[]],
      [exactNumber('1e400')],
      [exactNumber('-9007199254740993')],
    ])('is warned of as %j', (value) => {
      expect(misreading(setTo(value, ...place, field))).toBe(MISREAD.seconds);
    });
  });
});

test.each([
  [['spec', 'backoffLimit']],
  [['spec', 'runPolicy']],
  [['metadata', 'labels', 'cleanPodPolicy']],
  [['spec/cleanPodPolicy']],
])('nothing is said of %j', (path) => {
  expect(misreading(setTo(-1, ...path))).toBeUndefined();
});
