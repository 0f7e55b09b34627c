import { describe, expect, test } from '@jest/globals';
import { printable, shorten, shortenToBytes, utf8Length } from '../../src/core/text.ts';

describe('shortening', () => {
  test.each([
    ['a text that fits is left alone', 'abcde', 5, 'abcde'],
    ['a longer one loses its middle', 'abcdefg', 5, 'ab…fg'],
    ['its beginning keeps the odd character', 'abcdefg', 6, 'abc…fg'],
    ['half a surrogate pair becomes the replacement character', 'a\u{1f600}bcdef', 5, 'a\ufffd…ef'],
  ])('%s', (_title, text, max, shortened) => {
    expect(shorten(text, max)).toBe(shortened);
  });
});

describe('making printable', () => {
  test.each([
    ['letters of any script stay', 'größe 数据 \u{1f600}', 'größe 数据 \u{1f600}'],
    ['a line feed', 'a\nb', String.raw`a\u{a}b`],
    ['a carriage return', 'a\rb', String.raw`a\u{d}b`],
    ['NUL', 'a\0b', String.raw`a\u{0}b`],
    ['the beginning of an ANSI sequence', '\u001b[2J', String.raw`\u{1b}[2J`],
    ['an 8-bit control character', '\u009b2J', String.raw`\u{9b}2J`],
    ['a mark that turns the direction of text', '\u202egnp', String.raw`\u{202e}gnp`],
    ['an isolate', '\u2066x\u2069', String.raw`\u{2066}x\u{2069}`],
    ['a character of no width', 'a\u200bb', String.raw`a\u{200b}b`],
    ['a byte order mark', '\ufeffa', String.raw`\u{feff}a`],
    ['a line separator', 'a\u2028b', String.raw`a\u{2028}b`],
    ['a paragraph separator', 'a\u2029b', String.raw`a\u{2029}b`],
    ['a lone surrogate', 'a\udc00b', String.raw`a\u{dc00}b`],
    ['a tag character past the first plane', '\u{e0041}', String.raw`\u{e0041}`],
  ])('%s', (_title, text, escaped) => {
    expect(printable(text, 64)).toBe(escaped);
  });

  test('a long text of plain letters loses its middle', () => {
    expect(printable('abcdefg', 5)).toBe('ab…fg');
  });

  test('escapes count: the whole is never longer than asked for', () => {
    expect(printable('\n'.repeat(100), 20)).toHaveLength(20);
  });
});

test.each([
  ['', 0],
  ['abc', 3],
  ['ü', 2],
  ['→', 3],
  ['\u{1f600}', 4],
])('"%s" takes %d bytes of UTF-8', (text, bytes) => {
  expect(utf8Length(text)).toBe(bytes);
});

describe('shortening to a number of bytes', () => {
  test.each([
    ['a text that fits is left alone', 'größe', 7, 'größe'],
    ['a narrow one loses its middle', 'abcdefghij', 7, 'ab…ij'],
    ['a wide one loses more of it', '数据数据数据', 12, '数据…据'],
  ])('%s', (_title, text, max, shortened) => {
    expect(shortenToBytes(text, max)).toBe(shortened);
    expect(utf8Length(shortened)).toBeLessThanOrEqual(max);
  });
});
