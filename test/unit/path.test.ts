import { describe, expect, test } from '@jest/globals';
import { parsePointer, pointer, valueAt, type Path, type Pattern } from '../../src/core/path.ts';

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

describe('what stands at a path', () => {
  const job = { spec: { containers: [{ image: 'train:v1' }], '0': 'a key of digits', none: null } };
  test.each<[string, Path, unknown]>([
    ['is the value itself at the empty path', [], job],
    ['is found through maps and lists', ['spec', 'containers', 0, 'image'], 'train:v1'],
    ['is what a key of digits names in a map', ['spec', '0'], 'a key of digits'],
    ['is nothing at an index of a map', ['spec', 0], undefined],
    ['is nothing at a key of a list', ['spec', 'containers', '0'], undefined],
    ['is nothing beyond the end of a list', ['spec', 'containers', 1], undefined],
    ['is nothing below null', ['spec', 'none', 'image'], undefined],
    ['is nothing at what every map inherits', ['spec', 'constructor'], undefined],
  ])('%s', (_title, path, value) => {
    expect(valueAt(job, path)).toEqual(value);
  });
});
