import { describe, expect, test } from '@jest/globals';
import { fieldPath, printablePointer } from '../../src/core/field-path.ts';
import { objectType, UNKNOWN } from '../../src/core/field-type.ts';
import type { Path } from '../../src/core/path.ts';

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

  test('a field of 64 characters is written as it is', () => {
    expect(fieldPath(['spec', 'x'.repeat(64)], UNKNOWN)).toBe(`spec.${'x'.repeat(64)}`);
  });

  test('a longer field is shortened as a key is', () => {
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
