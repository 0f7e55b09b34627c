import { describe, expect, test } from '@jest/globals';
import { exactNumber, type JsonScalar } from '../../src/core/json.ts';
import { canonicalDecimal, canonicalQuantity } from '../../src/core/quantity.ts';

describe('a decimal number in its one form', () => {
  test.each([
    ['one', '1e0', ['1', '1.0', '1e0', '10e-1', '0.1e1', '+1', '1E+0', '001', '1.', '1e-00']],
    ['zero', '0', ['0', '-0', '0.0', '-0.000e5', '0e100000000', '']],
    ['a number past 2^53', '9007199254740993e0', ['9007199254740993', '9007199254740993.0', '9.007199254740993e15']],
    ['its neighbour', '9007199254740992e0', ['9007199254740992']],
    ['a number past every double', '1e400', ['1e400', '10e399', '0.1e401']],
    ['a tiny one', '-5e-401', ['-5e-401', '-0.5e-400']],
    ['one with twenty digits', '12345678901234567891e0', ['12345678901234567891']],
    ['one that nobody could write out', '1e100000000', ['1e100000000', '1e0100000000', '10e99999999']],
  ])('%s is %s', (_title, canonical, spellings) => {
    expect(spellings.map(canonicalDecimal)).toEqual(spellings.map(() => canonical));
  });

  test('an exponent that plain arithmetic cannot hold is kept as its digits', () => {
    const exponent = '9'.repeat(20);
    expect(canonicalDecimal(`1e${exponent}`)).toBe(canonicalDecimal(`1e00${exponent}`));
    expect(canonicalDecimal(`1e${exponent}`)).toBe(canonicalDecimal(`1e+${exponent}`));
    expect(canonicalDecimal(`1e${exponent}`)).not.toBe(canonicalDecimal(`1e-${exponent}`));
    expect(canonicalDecimal(`1e${exponent}`)).not.toBe(canonicalDecimal(`1e${exponent}0`));
    expect(canonicalDecimal(`1e${exponent}`)).not.toBe(canonicalDecimal(`12e${exponent}`));
    expect(canonicalDecimal(`1e${exponent}`)).not.toBe(canonicalDecimal(`1e${exponent.slice(1)}8`));
  });
});

describe('spellings of one quantity', () => {
  test.each<[string, JsonScalar[]]>([
    ['one', [1, '1', '1000m', '1e0', '1.0', '0.001k', '1000000u', '1000000000n', '+1', '01']],
    ['one thousand', [1000, '1k', '1e3', '1E3', '1000', '0.001M']],
    ['one Gi', ['1Gi', '1024Mi', '1048576Ki', '1073741824', 1073741824, '1.0Gi']],
    ['a half Ki', ['0.5Ki', '512', '.5Ki']],
    ['zero', [0, '0', '0Gi', '0m', '-0', '0e5', '.0', '0.']],
    ['minus one Ki', ['-1Ki', '-1024', '-1.024k']],
    ['one of each decimal suffix', ['1E', '1000P', '1000000T', '1000000000G']],
    ['one of each binary suffix', ['1Ei', '1024Pi', '1048576Ti']],
    ['a number past 2^53', [exactNumber('9007199254740993'), '9007199254740993']],
    ['one that nobody could write out', ['1e100000000', '10e99999999', exactNumber('1e100000000')]],
  ])('%s', (_title, spellings) => {
    const [first, ...others] = spellings.map(canonicalQuantity);
    expect(first).toBeDefined();
    expect(others).toEqual(others.map(() => first));
  });

  test('quantities that differ are different', () => {
    const values = [
      '1',
      '1m',
      '1u',
      '1n',
      '1k',
      '1Ki',
      '1M',
      '1Mi',
      '-1',
      '1e100000000',
      '1e100000001',
      '9007199254740993',
    ];
    expect(new Set(values.map(canonicalQuantity)).size).toBe(values.length);
  });

  test.each<[string, JsonScalar]>([
    ['an empty text', ''],
    ['a word', 'much'],
    ['a suffix alone', 'Gi'],
    ['a suffix that there is not', '1GB'],
    ['a small k with an i', '1ki'],
    ['a capital K alone', '1K'],
    ['a suffix and an exponent', '1e3k'],
    ['two dots', '1.2.3'],
    ['a dot alone', '.'],
    ['a number of another base', '0x10'],
    ['a boolean', true],
    ['null', null],
    ['a space in front', ' 1'],
    ['a space behind', '1 '],
    ['a line break behind', '1\n'],
    ['a byte order mark in front', '\ufeff1'],
    ['a no-break space behind', '1\u00a0'],
    ['a binary quantity with more digits than anybody means', `${'9'.repeat(1001)}Ki`],
  ])('%s is no quantity', (_title, value) => {
    expect(canonicalQuantity(value)).toBeUndefined();
  });

  test('an exponent of a hundred million costs nothing', () => {
    const started = performance.now();
    expect(canonicalQuantity('1e100000000')).toBe('1e100000000');
    expect(performance.now() - started).toBeLessThan(20);
  });

  test.each([
    ['digits', '9'.repeat(1_000_000)],
    ['zeros', '0'.repeat(1_000_000)],
    ['digits and a suffix', `${'1'.repeat(1_000_000)}k`],
    ['digits and a binary suffix', `${'1'.repeat(1_000_000)}Ki`],
    ['digits of an exponent', `1e${'1'.repeat(1_000_000)}`],
    ['digits that end in a word', `${'1'.repeat(1_000_000)}x`],
  ])('a million %s are read in linear time', (_title, text) => {
    const started = performance.now();
    canonicalQuantity(text);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
