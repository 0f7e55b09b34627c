import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';

import manifest from '../../package.json' with { type: 'json' };
import { at } from '../../tools/json-at.ts';
import { DOCS } from '../support/documented-policies.ts';

const ROOT = join(DOCS, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: ROOT })]
  .sort()
  .map((page) => ({ page, text: read(page) }));

/** A page without what stands in blocks of code, where `[x](y)` is no link and `#` no heading. */
const prose = (text: string): string => text.replaceAll(/^ *```.*?^ *```$/gms, '');

/** Returns the anchors of a page's headings, as GitHub makes them. */
function anchorsIn(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Says what is wrong with a link of a page, if anything. */
function brokenLink(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, target))) return `${link}: no such file`;
  if (anchor === undefined || anchorsIn(read(target)).includes(anchor)) return undefined;
  return `${link}: no such heading`;
}

test.each(PAGES)('every link of $page leads somewhere', ({ page, text }) => {
  const links = [...prose(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
  expect(links.flatMap((link) => brokenLink(page, link) ?? [])).toEqual([]);
});

test('the index of the documentation lists every page once', () => {
  const listed = [...read('docs/README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, page = '']) => page);
  const pages = globSync('*.md', { cwd: DOCS }).filter((page) => page !== 'README.md');
  expect(listed.sort()).toEqual(pages.sort());
});

/** What stands in code on a page: its blocks, and what is quoted within a line. */
const codeIn = (text: string): string[] => text.match(/^ *```.*?^ *```$|`[^`\n]+`/gms) ?? [];

/** Returns what the pages name in code, each with the first page that does. */
function named(pattern: RegExp): Map<string, string> {
  const found = PAGES.flatMap(({ page, text }) =>
    codeIn(text).flatMap((code) => [...code.matchAll(pattern)].map(([, name = '']) => [name, page] as const)),
  );
  return new Map(found.reverse());
}

const missing = (names: Map<string, string>, exists: (name: string) => boolean): string[] =>
  [...names].filter(([name]) => !exists(name)).map(([name, page]) => `${page}: ${name}`);

test('every target of make that a page names exists', () => {
  const targets = new Set(read('Makefile').match(/^[a-z-]+(?=:)/gm) ?? []);
  const names = named(/\bmake ([a-z][a-z-]*)/g);
  expect(names.size).toBeGreaterThanOrEqual(10);
  expect(missing(names, (name) => targets.has(name))).toEqual([]);
});

test('every script of npm that a page names exists', () => {
  const scripts = Object.keys(manifest.scripts);
  const names = named(/\bnpm run (?:-s )?([a-z][a-z:-]*)/g);
  expect(names.size).toBeGreaterThanOrEqual(5);
  expect(missing(names, (name) => scripts.includes(name))).toEqual([]);
});

test('every value of the chart that a page sets exists', () => {
  const values: unknown = parse(read('charts/jobguard/values.yaml'));
  const names = named(/--set(?:-file|-json|-string)? '?([A-Za-z][\w.]*)=/g);
  expect(names.size).toBeGreaterThanOrEqual(8);
  expect(missing(names, (name) => at(values, ...name.split('.')) !== undefined)).toEqual([]);
});

test.each(PAGES)('every block of YAML or JSON on $page can be read', ({ text }) => {
  const blocks = [...text.matchAll(/^( *)```(?:yaml|json)\n(.*?)^ *```$/gms)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
  const errors = blocks.flatMap((block) => parseAllDocuments(block).flatMap((document) => document.errors));
  expect(errors.map(({ message }) => message)).toEqual([]);
});
