import { describe, expect, test } from '@jest/globals';
import { objectType, UNKNOWN } from '../../src/core/field-type.ts';
import {
  comparePaths,
  fieldPath,
  parsePointer,
  pointer,
  printablePointer,
  type Path,
  type Pattern,
} from '../../src/core/path.ts';

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

describe('a path written the Kubernetes way', () => {
  const tfJob = objectType('kubeflow.org', 'tfjobs', []);
  const container = ['spec', 'tfReplicaSpecs', 'Worker', 'template', 'spec', 'containers', 0];

  test.each<[string, Path, string]>([
    ['fields are joined by dots', ['spec', 'runPolicy', 'suspend'], 'spec.runPolicy.suspend'],
    [
      'keys of maps and indexes stand in brackets',
      [...container, 'image'],
      'spec.tfReplicaSpecs[Worker].template.spec.containers[0].image',
    ],
    ['keys of labels need no quotes', ['metadata', 'labels', 'app.io/name'], 'metadata.labels[app.io/name]'],
    [
      'a key that could be taken for two is quoted',
      ['metadata', 'labels', 'a].spec.b[c'],
      'metadata.labels["a].spec.b[c"]',
    ],
    ['quotes in it are escaped', ['metadata', 'labels', 'a"b'], String.raw`metadata.labels["a\"b"]`],
    ['an empty key is quoted', ['metadata', 'labels', ''], 'metadata.labels[""]'],
    ['an unknown field with a dot stands in brackets', ['spec', 'a.b'], 'spec[a.b]'],
    ['a prototype is a field like any other', ['__proto__', 'constructor'], '__proto__.constructor'],
    ['an odd first key stands in brackets', ['a b', 'c'], '["a b"].c'],
    ['a key of a map at the top is no field', ['0'], '[0]'],
    ['line breaks are escaped', ['spec', 'a\nb'], String.raw`spec["a\u{a}b"]`],
    ['escape sequences of terminals are escaped', ['spec', '\u001b[31m'], String.raw`spec["\u{1b}[31m"]`],
    ['marks that turn the direction of text are escaped', ['spec', '\u202ex'], String.raw`spec["\u{202e}x"]`],
    ['emoji are text', ['spec', '\u{1f600}'], 'spec["\u{1f600}"]'],
    ['lone surrogates are escaped', ['spec', '\ud83d'], String.raw`spec["\u{d83d}"]`],
  ])('%s', (_title, path, text) => {
    expect(fieldPath(path, tfJob)).toBe(text);
  });

  test('a long key keeps both its ends', () => {
    const key = fieldPath(['metadata', 'labels', `start-${'x'.repeat(500)}-end`], tfJob);
    expect(key).toBe(`metadata.labels["start-${'x'.repeat(26)}…${'x'.repeat(27)}-end"]`);
  });

  test('a long field is shortened as a key is', () => {
    expect(fieldPath(['x'.repeat(65)], UNKNOWN)).toBe(`["${'x'.repeat(32)}…${'x'.repeat(31)}"]`);
  });

  test('a long path keeps both its ends in 200 characters', () => {
    const text = fieldPath(Array(100).fill('deep'), UNKNOWN);
    expect(text).toHaveLength(200);
    expect(text).toMatch(/^deep\.deep\..*….*\.deep$/);
  });
});

describe('a JSON Pointer that is fit to be shown', () => {
  test.each<[string, Path, string]>([
    ['is the pointer itself where nothing is odd', ['spec', 'a/b', 3], '/spec/a~1b/3'],
    ['escapes what breaks a line', ['spec', 'a\u2028b'], String.raw`/spec/a\u{2028}b`],
  ])('%s', (_title, path, text) => {
    expect(printablePointer(path)).toBe(text);
  });

  test('shortens long keys to 64 characters and the whole to 512', () => {
    expect(printablePointer(['spec', 'x'.repeat(65)])).toBe(`/spec/${'x'.repeat(32)}…${'x'.repeat(31)}`);
    expect(printablePointer(Array(1000).fill('deep'))).toHaveLength(512);
  });
});
