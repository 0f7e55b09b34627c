import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const SOURCE = resolve(import.meta.dirname, '../../src');

/** Lists what a file imports of the project: static, dynamic, of a type, or exported again. */
function importsOf(file: string): string[] {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'))
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => /^\..*\.ts$/.test(name))
    .map((name) => resolve(dirname(file), name));
}

/** Lists the circles that a walk along the edges meets, each from the node that it meets first. */
function circlesOf(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[][] => {
    if (path.includes(node)) return [[...path.slice(path.indexOf(node)), node]];
    if (done.has(node)) return [];
    const circles = (edges.get(node) ?? []).flatMap((next) => visit(next, [...path, node]));
    done.add(node);
    return circles;
  };
  return [...edges.keys()].flatMap((node) => visit(node, []));
}

test('a walk finds a circle of three and an import of itself', () => {
  const edges = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a', 'd']],
    ['d', ['d']],
  ]);
  expect(circlesOf(edges)).toEqual([
    ['a', 'b', 'c', 'a'],
    ['d', 'd'],
  ]);
});

test('no file of src imports itself through others, not even a type', async () => {
  const names = (await readdir(SOURCE, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const edges = new Map(names.map((name) => [join(SOURCE, name), importsOf(join(SOURCE, name))]));
  const circles = circlesOf(edges).map((circle) => circle.map((file) => relative(SOURCE, file)));
  expect(circles).toEqual([]);
});
