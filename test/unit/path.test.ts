import { describe, expect, test } from '@jest/globals';
import { comparePaths, parsePointer, pointer, type Path, type Pattern } from '../../src/core/path.ts';

describe('a path written as a JSON Pointer', () => {
  test.each<[string, Path, string]>([
    ['the whole object is the empty text', [], ''],
    ['segments are joined by slashes', ['spec', 'runPolicy'], '/spec/runPolicy'],
    ['an index is its number', ['containers', 0], '/containers/0'],
    ['a slash is escaped', ['a/b'], '/a~1b'],
    ['a tilde is escaped before the slash', ['~1', 'a/b~c'], '/~01/a~1b~0c'],
    ['an empty key is an empty segment', ['', 'a', ''], '//a/'],
    ['a dot is an ordinary character', ['a.b'], '/a.b'],
    ['so is the name of a prototype', ['__proto__', 'constructor'], '/__proto__/constructor'],
  ])('%s', (_title, path, text) => {
    expect(pointer(path)).toBe(text);
    expect(parsePointer(text)).toEqual(path.map(String));
  });

  test.each<[string, string, Pattern | undefined]>([
    ['a text without a leading slash is none', 'spec/foo', undefined],
    ['a lone tilde is none', '/a~', undefined],
    ['an unknown escape is none', '/a~2', undefined],
    ['an escaped tilde before a 1 stays a tilde and a 1', '/~01', ['~1']],
    ['a star is a segment', '/spec/*/template', ['spec', '*', 'template']],
    ['a slash alone is one empty key', '/', ['']],
  ])('reading: %s', (_title, text, pattern) => {
    expect(parsePointer(text)).toEqual(pattern);
  });
});

describe('the order of paths', () => {
  test.each<[string, Path[]]>([
    ['a parent comes before its children', [['spec'], ['spec', 'a'], ['spec', 'a', 'b'], ['spec', 'b']]],
    [
      'indexes go by number',
      [
        ['list', 2],
        ['list', 10],
        ['list', 11, 'a'],
      ],
    ],
    ['keys go by UTF-16 code units', [[''], ['B'], ['a'], ['\u{1f600}'], ['\uff5e']]],
    [
      'a key that looks like an index goes by its text',
      [
        ['map', '10'],
        ['map', '2'],
      ],
    ],
  ])('%s', (_title, ordered) => {
    expect(ordered.toReversed().sort(comparePaths)).toEqual(ordered);
  });

  test.each<[string, Path, Path, number]>([
    ['a path is equal to itself', ['spec', 1], ['spec', 1], 0],
    ['a child comes after its parent', ['spec', 'a'], ['spec'], 1],
    ['a parent comes before its child', ['spec'], ['spec', 'a'], -1],
    ['an index and the key of its text are equal', ['a', 1], ['a', '1'], 0],
  ])('%s', (_title, a, b, order) => {
    expect(Math.sign(comparePaths(a, b))).toBe(order);
  });
});
