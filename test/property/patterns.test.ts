import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileGlob, compileGlobLists, compileGlobs } from '../../src/core/glob.ts';
import { parsePointer, pointer, type Path, type Segment } from '../../src/core/path.ts';
import {
  addPattern,
  createPatternTree,
  grantOver,
  hasGrantBelow,
  type PatternTree,
  type Ranked,
} from '../../src/core/pattern-tree.ts';

/** Few letters, so that patterns and texts meet. */
const globs = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*'), maxLength: 8 });
const texts = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 12 });

/** The meaning of a glob, letter by letter. */
function matchesNaively(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('*')) {
    return matchesNaively(glob.slice(1), text) || (text !== '' && matchesNaively(glob, text.slice(1)));
  }
  return text !== '' && text[0] === glob[0] && matchesNaively(glob.slice(1), text.slice(1));
}

test('a glob matches what its letters say', () => {
  fc.assert(
    fc.property(globs, texts, (glob, text) => {
      expect(compileGlob(glob)(text)).toBe(matchesNaively(glob, text));
    }),
    { numRuns: 5_000 },
  );
});

test('a glob matches a text made from it', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), fc.string(), (parts, filling) => {
      const glob = parts.map((part) => part.replaceAll('*', '')).join('*');
      expect(compileGlob(glob)(glob.replaceAll('*', filling))).toBe(true);
    }),
  );
});

test('a list of globs matches what one of them matches', () => {
  fc.assert(
    fc.property(fc.array(globs, { maxLength: 4 }), texts, (list, text) => {
      expect(compileGlobs(list)(text)).toBe(list.some((glob) => matchesNaively(glob, text)));
    }),
  );
});

const globLists = fc.array(fc.array(globs, { maxLength: 3 }), { maxLength: 6 });

test('of many lists of globs those are found that match', () => {
  fc.assert(
    fc.property(globLists, fc.array(texts, { maxLength: 3 }), (lists, several) => {
      const matching = lists.map((list) =>
        several.some((text) => list.some((glob) => matchesNaively(glob, text))) ? 1 : 0,
      );
      expect([...compileGlobLists(lists)(several)]).toEqual(matching);
    }),
    { numRuns: 5_000 },
  );
});

const segments = fc.constantFrom('a', 'b', 'a/b', '', '0', '*', '__proto__', 'constructor');
const patterns = fc.array(segments, { maxLength: 4 });
const paths: fc.Arbitrary<Path> = fc.array(fc.oneof(segments, fc.constantFrom<Segment>(0, 1)), { maxLength: 5 });

function treeOf(list: readonly string[][]): PatternTree<Ranked> {
  const tree = createPatternTree<Ranked>();
  for (const [rank, pattern] of list.entries()) addPattern(tree, pattern, { rank });
  return tree;
}

/** Tells whether a pattern's segments and a path's agree as far as both go. */
const agree = (pattern: readonly string[], path: Path): boolean =>
  pattern.every((segment, index) => index >= path.length || segment === '*' || segment === String(path[index]));

test('the first pattern in force that is the path or above it covers it', () => {
  fc.assert(
    fc.property(fc.array(patterns, { maxLength: 5 }), fc.array(fc.boolean()), paths, (list, inForce, path) => {
      const isInForce = ({ rank }: Ranked): boolean => inForce[rank] ?? true;
      const first = list.findIndex(
        (pattern, rank) => isInForce({ rank }) && pattern.length <= path.length && agree(pattern, path),
      );
      expect(grantOver(treeOf(list), path, isInForce)).toEqual(first === -1 ? undefined : { rank: first });
    }),
    { numRuns: 5_000 },
  );
});

test('a path has something covered below it where a pattern in force is longer and agrees with it', () => {
  fc.assert(
    fc.property(fc.array(patterns, { maxLength: 5 }), fc.array(fc.boolean()), paths, (list, inForce, path) => {
      const isInForce = ({ rank }: Ranked): boolean => inForce[rank] ?? true;
      const expected = list.some(
        (pattern, rank) => isInForce({ rank }) && pattern.length > path.length && agree(pattern, path),
      );
      expect(hasGrantBelow(treeOf(list), path, isInForce)).toBe(expected);
    }),
    { numRuns: 5_000 },
  );
});

test('a JSON Pointer is read as it was written, whatever the keys', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (path) => {
      expect(parsePointer(pointer(path))).toEqual(path);
    }),
  );
});

test('no two paths share a JSON Pointer', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (a, b) => {
      expect(pointer(a) === pointer(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});
