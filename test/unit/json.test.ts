import { describe, expect, test } from '@jest/globals';
import { exactNumber, isMap, type JsonValue, ownValue, parseJson } from '../../src/core/json.ts';

const nested = (levels: number, inner: string): string => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;

describe('numbers in JSON', () => {
  test.each<[string, string, JsonValue]>([
    ['fifteen digits fit a double', '[123456789012345]', [123456789012345]],
    ['2^53 comes as it was written', '[9007199254740992]', [exactNumber('9007199254740992')]],
    ['so does its neighbour', '[9007199254740993]', [exactNumber('9007199254740993')]],
    ['so does a negative one', '[-9007199254740993]', [exactNumber('-9007199254740993')]],
    ['so does a long fraction', '[0.1000000000000000055]', [exactNumber('0.1000000000000000055')]],
    ['so does what no double holds', '[1e400]', [exactNumber('1e400')]],
    ['so does what a double takes for zero', '[1E-400]', [exactNumber('1E-400')]],
    ['exponents of two digits fit', '[1e99, 1E+22, 1e-10]', [1e99, 1e22, 1e-10]],
    ['minus zero is zero', '[-0, 0]', [-0, 0]],
    [
      'a negative exponent beside digits is one number',
      '[12e-1234567890123456]',
      [exactNumber('12e-1234567890123456')],
    ],
    [
      'digits behind escaped quotes are a string',
      String.raw`["\\\":12345678901234567890", 1]`,
      ['\\":12345678901234567890', 1],
    ],
    [
      'a number behind a string that ends with a backslash is a number',
      String.raw`["\"\\",12345678901234567890]`,
      ['"\\', exactNumber('12345678901234567890')],
    ],
    ['a long number may stand alone', ' 12345678901234567890 ', exactNumber('12345678901234567890')],
    ['digits in a string may stand alone', '"12345678901234567890"', '12345678901234567890'],
    [
      'a large number of few digits stays a number',
      '[1e99, 12345678901234567890]',
      [1e99, exactNumber('12345678901234567890')],
    ],
    ['of two equal keys the last counts', '{"a":12345678901234567890,"a":1}', { a: 1 }],
    ['of two equal keys the last counts below them, too', '{"a":{"b":[1e400]},"a":{"b":1}}', { a: { b: 1 } }],
    ['what has no equal below the last key is gone', '{"a":{"b":[1e400]},"a":{}}', { a: {} }],
    ['a list instead of a map counts', '{"a":{"b":1e400},"a":[2]}', { a: [2] }],
    ['a map instead of a list counts', '{"a":[1e400],"a":{"0":2}}', { a: { '0': 2 } }],
    ['equal keys may be spelled differently', String.raw`{"a":1,"\u0061":1e400}`, { a: exactNumber('1e400') }],
    [
      'each of many comes to its place',
      '{"a":{"b":[{},[],"c",1e400],"d":1e500},"e":[[1e600]],"f":1e700}',
      {
        a: { b: [{}, [], 'c', exactNumber('1e400')], d: exactNumber('1e500') },
        e: [[exactNumber('1e600')]],
        f: exactNumber('1e700'),
      },
    ],
    ['digits in a string are a string', '["a", ": 12345678901234567890", 1]', ['a', ': 12345678901234567890', 1]],
    [
      'short numbers beside a long one stay numbers',
      '[1, 12345678901234567890]',
      [1, exactNumber('12345678901234567890')],
    ],
    [
      'a long number is found in an object too',
      '{"a":12345678901234567890,"b":1}',
      { a: exactNumber('12345678901234567890'), b: 1 },
    ],
  ])('%s', (_title, text, value) => {
    expect(parseJson(text)).toStrictEqual(value);
  });
});

describe('keys in JSON', () => {
  test.each(['1', '12345678901234567890'])('__proto__ is a key like any other, beside the number %s', (number) => {
    const value = parseJson(`{"__proto__": {"a": ${number}}, "constructor": 1}`);
    expect(isMap(value) ? Object.keys(value) : []).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test('the last of two equal keys counts', () => {
    expect(parseJson('{"a": 1, "a": 2}')).toEqual({ a: 2 });
  });
});

describe('what is not JSON', () => {
  test.each([
    ...['', '{', "{'a': 1}", 'NaN', '[1,]', '\ufeff{}', '01', '["', String.raw`["\"`],
    ...[
      '[12345678901234567890,]',
      '[12345678901234567890',
      '["12345678901234567890',
      String.raw`["12345678901234567890\"`,
    ],
    ...['012345678901234567890', '--12345678901234567890', '5-12345678901234567890', '1.2345678901234567.8'],
    ...['.12345678901234567890', '12345678901234567890.', '1e1000.5', '1e1000e5', '12345678901234567890e', '+1e1000'],
  ])('%j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});

test('an error beside a long number shows the text as it was sent', () => {
  const text = '[12345678901234567890,}';
  const messageOf = (parse: (text: string) => unknown): string => {
    try {
      return String(parse(text));
    } catch (error) {
      return String(error);
    }
  };
  expect(messageOf(parseJson)).toBe(messageOf(JSON.parse));
});

test('10 000 levels of nesting are read, beside a long number too', () => {
  expect(parseJson(nested(10_000, ''))).toHaveLength(1);
  expect(parseJson(nested(10_000, '12345678901234567890'))).toHaveLength(1);
});

describe('maps', () => {
  test.each<[string, JsonValue | undefined, boolean]>([
    ['an object is one', {}, true],
    ['a list is none', [], false],
    ['null is none', null, false],
    ['nothing is none', undefined, false],
    ['a string is none', 'a', false],
    ['an exact number is none', exactNumber('1e400'), false],
  ])('%s', (_title, value, expected) => {
    expect(isMap(value)).toBe(expected);
  });

  test.each<[string, JsonValue | undefined]>([
    ['a', 1],
    ['b', undefined],
    ['toString', undefined],
    ['__proto__', undefined],
    ['constructor', undefined],
  ])('{"a": 1} has under "%s" the value %s', (key, value) => {
    expect(ownValue({ a: 1 }, key)).toBe(value);
  });

  test('a key called __proto__ has its own value', () => {
    const value = parseJson('{"__proto__": 1}');
    expect(isMap(value) ? ownValue(value, '__proto__') : undefined).toBe(1);
  });
});
