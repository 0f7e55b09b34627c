import { describe, expect, test } from '@jest/globals';
import { compileGlob, compileGlobLists, compileGlobs } from '../../src/core/glob.ts';

describe('a glob', () => {
  test.each([
    ['without a star matches itself', 'jane', 'jane'],
    ['of a star matches anything', '*', 'system:anonymous'],
    ['of a star matches nothing at all', '*', ''],
    ['may end with a star', 'system:serviceaccount:ml:*', 'system:serviceaccount:ml:runner'],
    ['may begin with a star', '*:runner', 'system:serviceaccount:ml:runner'],
    ['may have a star inside', 'system:*:runner', 'system:serviceaccount:ml:runner'],
    ['has stars that stand for nothing too', 'a*b', 'ab'],
    ['has stars that cross slashes', 'https://*/me', 'https://id.example.com/users/me'],
    ['may have many stars', '*a*b*c*', 'xxaxxbxxcxx'],
    ['takes the first place for each part', 'a*bc*c', 'abcbcc'],
    ['takes two stars for one', 'a**b', 'axb'],
    ['takes a dot for a dot', 'a.b', 'a.b'],
    ['takes the marks of regular expressions literally', '[a]+?(b)*', '[a]+?(b)c'],
  ])('%s: %s, "%s"', (_title, glob, text) => {
    expect(compileGlob(glob)(text)).toBe(true);
  });

  test.each([
    ['does not match a longer text', 'jane', 'janet'],
    ['does not match a text that only contains it', 'jane', 'mary-jane'],
    ['is careful of case', 'jane', 'Jane'],
    ['takes a dot for nothing else', 'a.b', 'axb'],
    ['does not let its ends overlap', 'aba*aba', 'ababa'],
    ['does not let a part overlap its end', 'a*bc*c', 'abc'],
    ['needs every part', 'a*b*c', 'axxc'],
    ['needs its parts in order', '*a*b*', 'ba'],
    ['needs its beginning', 'system:*', 'xsystem:a'],
    ['needs its end', '*:runner', 'ml:runners'],
    ['that is empty matches no name', '', 'jane'],
  ])('%s: %s, "%s"', (_title, glob, text) => {
    expect(compileGlob(glob)(text)).toBe(false);
  });

  test('takes no longer for a pattern made to be slow', () => {
    const matches = compileGlob(`${'a*'.repeat(50)}b`);
    const started = performance.now();
    expect(matches('a'.repeat(100_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('a list of globs', () => {
  const matches = compileGlobs(['jane', 'system:serviceaccount:ml:*', '*:admins']);

  test.each([
    ['jane', true],
    ['system:serviceaccount:ml:runner', true],
    ['platform:admins', true],
    ['system:serviceaccount:mlx:runner', false],
    ['john', false],
    ['', false],
  ])('"%s": %s', (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  test('that is empty matches nothing', () => {
    expect(compileGlobs([])('')).toBe(false);
  });
});

describe('lists of globs', () => {
  const lists = compileGlobLists([
    ['jane', 'system:serviceaccount:ml:*'],
    ['*'],
    ['*:admins', 'platform:*'],
    [],
    ['jane', 'j*e'],
    ['*form:adm*'],
  ]);
  const placesOf = (texts: string[]): number[] => [...lists(texts)].flatMap((found, place) => (found ? [place] : []));

  test.each([
    ['an exact name, in each list that has it', 'jane', [0, 1, 4]],
    ['a beginning', 'system:serviceaccount:ml:runner', [0, 1]],
    ['an end', 'ml:admins', [1, 2]],
    ['what begins, ends and goes on like several', 'platform:admins', [1, 2, 5]],
    ['a text shorter than any', 'j', [1]],
    ['nothing but a star', '', [1]],
  ])('are found by %s: "%s"', (_title, text, expected) => {
    expect(placesOf([text])).toEqual(expected);
  });

  test.each([
    ['any of several texts', ['john', 'jane', 'ml:admins'], [0, 1, 2, 4]],
    ['no text at all, not even by a star', [], []],
  ])('are found by %s', (_title, texts, expected) => {
    expect(placesOf(texts)).toEqual(expected);
  });
});
