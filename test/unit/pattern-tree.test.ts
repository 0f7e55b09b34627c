import { describe, expect, test } from '@jest/globals';
import { parsePointer, type Path } from '../../src/core/path.ts';
import {
  addPattern,
  createPatternTree,
  grantOver,
  hasGrantBelow,
  type PatternTree,
  type Ranked,
} from '../../src/core/pattern-tree.ts';

/** A tree in which each pattern is a grant of its own, ranked in order. */
function treeOf(...pointers: string[]): PatternTree<Ranked> {
  const tree = createPatternTree<Ranked>();
  for (const [rank, text] of pointers.entries()) addPattern(tree, parsePointer(text) ?? [], { rank });
  return tree;
}

const always = (): boolean => true;
const never = (): boolean => false;

describe('what covers a path', () => {
  test.each<[string, string, Path]>([
    ['the pattern that is the path', '/spec/runPolicy', ['spec', 'runPolicy']],
    ['the pattern above it', '/spec/runPolicy', ['spec', 'runPolicy', 'suspend']],
    ['a star for a key', '/spec/*/replicas', ['spec', 'Worker', 'replicas']],
    ['a star for an index', '/spec/list/*', ['spec', 'list', 7, 'name']],
    ['an index by its number', '/spec/list/7', ['spec', 'list', 7]],
    ['a star for a star', '/spec/*', ['spec', '*']],
    ['a star for an empty key', '/spec/*', ['spec', '']],
    ['two stars', '/*/*', ['spec', 'a']],
    ['the empty pattern, for everything', '', ['spec', 'a']],
    ['a key with a slash in it', '/metadata/labels/a~1b', ['metadata', 'labels', 'a/b']],
    ['the name of a prototype', '/spec/__proto__', ['spec', '__proto__', 'polluted']],
  ])('%s: %s', (_title, pattern, path) => {
    expect(grantOver(treeOf(pattern), path, always)).toEqual({ rank: 0 });
  });

  test.each<[string, string, Path]>([
    ['a longer name', '/spec/runPolicy', ['spec', 'runPolicyX']],
    ['a shorter name', '/spec/runPolicy', ['spec', 'run']],
    ['what is above', '/spec/runPolicy', ['spec']],
    ['another case', '/spec/runPolicy', ['spec', 'runpolicy']],
    ['more than one segment for a star', '/spec/*/replicas', ['spec', 'a', 'b', 'replicas']],
    ['no segment for a star', '/spec/*/replicas', ['spec', 'replicas']],
    ['what is above a star', '/spec/*', ['spec']],
    ['a part of a segment for a star', '/spec/tf*', ['spec', 'tfReplicaSpecs']],
    ['a key whose text is the path', '/spec/a/b', ['spec', 'a/b']],
    ['two keys for one with a dot', '/spec/a.b', ['spec', 'a', 'b']],
    ['the name of a prototype that no pattern has', '/spec/a', ['spec', 'constructor']],
  ])('but not %s: %s', (_title, pattern, path) => {
    expect(grantOver(treeOf(pattern), path, always)).toBeUndefined();
  });

  test('the first grant in force counts, wherever its pattern ends', () => {
    const tree = treeOf('/spec/*/replicas', '/spec', '/spec/Worker');
    const path = ['spec', 'Worker', 'replicas'];
    expect(grantOver(tree, path, always)).toEqual({ rank: 0 });
    expect(grantOver(tree, path, ({ rank }) => rank !== 0)).toEqual({ rank: 1 });
    expect(grantOver(tree, path, ({ rank }) => rank === 2)).toEqual({ rank: 2 });
    expect(grantOver(tree, path, never)).toBeUndefined();
  });

  test('a grant is asked for only where its pattern covers the path', () => {
    const asked: number[] = [];
    grantOver(treeOf('/metadata', '/spec/a', '/spec/b'), ['spec', 'b'], ({ rank }) => {
      asked.push(rank);
      return true;
    });
    expect(asked).toEqual([2]);
  });
});

describe('what comes or goes as a whole', () => {
  interface Row {
    readonly title: string;
    readonly patterns: readonly string[];
    readonly path: Path;
    /** How many segments lead to the topmost node that comes or goes. */
    readonly since: number;
    readonly grant: number | undefined;
    readonly isGrantedBelow: boolean;
  }
  const rows: readonly Row[] = [
    {
      title: 'is not granted by what a star leads to',
      patterns: ['/spec/*/replicas'],
      path: ['spec', 'Worker', 'replicas'],
      since: 2,
      grant: undefined,
      isGrantedBelow: false,
    },
    {
      title: 'nor is anything below it',
      patterns: ['/spec/*/template/metadata'],
      path: ['spec', 'Worker', 'template'],
      since: 2,
      grant: undefined,
      isGrantedBelow: false,
    },
    {
      title: 'is granted where the star is the end',
      patterns: ['/spec/*'],
      path: ['spec', 'Worker', 'replicas'],
      since: 2,
      grant: 0,
      isGrantedBelow: false,
    },
    {
      title: 'is granted by the name',
      patterns: ['/spec/*/replicas', '/spec/runPolicy/replicas', '/spec/runPolicy/replicas/below'],
      path: ['spec', 'runPolicy', 'replicas'],
      since: 2,
      grant: 1,
      isGrantedBelow: true,
    },
    {
      title: 'is granted by a star for what was there before',
      patterns: ['/spec/*/template/metadata/labels'],
      path: ['spec', 'Worker', 'template', 'metadata', 'labels'],
      since: 3,
      grant: 0,
      isGrantedBelow: false,
    },
    {
      title: 'has something granted below it by such a star',
      patterns: ['/spec/*/template/metadata/labels'],
      path: ['spec', 'Worker', 'template', 'metadata'],
      since: 3,
      grant: undefined,
      isGrantedBelow: true,
    },
    {
      title: 'is not granted by a second star',
      patterns: ['/spec/*/*/metadata'],
      path: ['spec', 'Worker', 'template', 'metadata'],
      since: 3,
      grant: undefined,
      isGrantedBelow: false,
    },
  ];
  test.each(rows)('$title', ({ patterns, path, since, grant, isGrantedBelow }) => {
    const tree = treeOf(...patterns);
    expect(grantOver(tree, path, always, since)?.rank).toBe(grant);
    expect(hasGrantBelow(tree, path, always, since)).toBe(isGrantedBelow);
  });
});

describe('what is covered below a path', () => {
  test.each<[string, string, Path, boolean]>([
    ['a pattern below it', '/spec/runPolicy/suspend', ['spec'], true],
    ['a pattern far below it', '/spec/a/b/c/d', ['spec', 'a'], true],
    ['a pattern below it by a star', '/spec/*/replicas', ['spec', 'Worker'], true],
    ['a star below it', '/spec/list/*', ['spec', 'list'], true],
    ['not the pattern that is the path', '/spec/runPolicy', ['spec', 'runPolicy'], false],
    ['not a pattern above it', '/spec', ['spec', 'runPolicy'], false],
    ['not a pattern beside it', '/spec/a/b', ['spec', 'b'], false],
    ['not a pattern that begins with its name', '/specX/a', ['spec'], false],
  ])('%s: %s', (_title, pattern, path, expected) => {
    expect(hasGrantBelow(treeOf(pattern), path, always)).toBe(expected);
    expect(hasGrantBelow(treeOf(pattern), path, never)).toBe(false);
  });

  test('only grants in force count', () => {
    const tree = treeOf('/spec/a', '/spec/b/c');
    expect(hasGrantBelow(tree, ['spec'], ({ rank }) => rank === 1)).toBe(true);
    expect(hasGrantBelow(tree, ['spec', 'b'], ({ rank }) => rank === 0)).toBe(false);
  });
});
