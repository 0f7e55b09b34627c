import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { TOUR } from '../../examples/tour.ts';
import { denialOf, wayOutIn } from '../support/denial-wording.ts';
import { DOCS } from '../support/documented-policies.ts';

const ROOT = join(DOCS, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Returns the rows of the table that follows a text, its head included, each as its cells. */
function tableAfter(page: string, text: string): string[][] {
  const lines = read(page).split(text)[1]?.split('\n') ?? [];
  const start = lines.findIndex((line) => line.startsWith('|'));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  return lines
    .slice(start, length === -1 ? undefined : start + length)
    .filter((line) => !line.startsWith('| -'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test('the README shows the denial that a user sees', () => {
  const shown = /^Error from server[^`]*/m.exec(read('README.md'))?.[0] ?? '';
  const message = denialOf('tfjobs.kubeflow.org "mnist"', ['spec.tfReplicaSpecs[Worker].replicas (1 → 4)'], {
    wayOut: wayOutIn('team'),
    contact: 'Ask in #ml-platform.',
  });
  expect(shown.trim().split(/\s+/).join(' ')).toBe(
    `Error from server (Forbidden): admission webhook "jobs.jobguard.dev" denied the request: ${message}`,
  );
});

describe('the comparison with policy engines', () => {
  const [head = [], ...questions] = tableAfter('README.md', '## Why not a policy engine?');
  const claims = questions.flatMap(([, ...cells]) => cells.map((cell, i) => [head[i + 1] ?? '', cell]));
  const [, ...sources] = tableAfter('docs/comparison.md', 'Issues are of the projects themselves.');

  test('has five questions', () => {
    expect(questions).toHaveLength(5);
  });

  test('says of each cell, and of nothing else, what shows it', () => {
    expect(sources.map(([who = '', says = '']) => [who, says])).toEqual(claims);
  });

  test.each(sources)('%s: "%s" is shown by a file that there is, or by an address', (_who, _says, shownBy) => {
    const places = shownBy.split(', ').map((place) => /^`([^`]+)`$/.exec(place)?.[1] ?? new URL(place).protocol);
    expect(places.filter((place) => place !== 'https:' && !existsSync(join(ROOT, place)))).toEqual([]);
  });
});

test('getting started shows the tour of make demo, which a test pastes, and what it prints', () => {
  const examples = [...read('docs/getting-started.md').matchAll(/^```console\n\$ (.*)\n(.*)\n```$/gm)].map(
    ([, command = '', prints = '']) => ({ command, prints }),
  );
  expect(examples).toEqual(TOUR.map(({ command, prints }) => ({ command, prints })));
});
