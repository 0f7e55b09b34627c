import { expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })];

/** Returns the flags with which the pages call each command of jobguard, each with the page. */
function documentedFlags(): Map<string, Map<string, string>> {
  const flags = new Map<string, Map<string, string>>();
  for (const page of PAGES) {
    const code = readFileSync(join(ROOT, page), 'utf8').match(/^ *```.*?^ *```$|`[^`\n]+`/gms) ?? [];
    for (const [, command = '', rest = ''] of code
      .join('\n')
      .matchAll(/(?:^|[ `])jobguard (serve|check|policy|replay|rerun|completion|version)\b([^|`\n]*)/gm)) {
      const known = flags.get(command) ?? new Map<string, string>();
      for (const flag of rest.match(/(?<= )--[a-z][a-z-]*/g) ?? []) known.set(flag, page);
      flags.set(command, known);
    }
  }
  return flags;
}

const documented = [...documentedFlags()].map(([command, flags]) => ({ command, flags }));

test('the pages name every command', () => {
  expect(documented.map(({ command }) => command).sort()).toEqual([
    'check',
    'completion',
    'policy',
    'replay',
    'rerun',
    'serve',
    'version',
  ]);
});

test.each(documented)('jobguard $command has every flag that a page names', async ({ command, flags }) => {
  const { code, stdout } = await run(process.execPath, [BUNDLE, command, '--help']);
  const options = new Set(stdout.match(/(?<=[ ,])--[a-z][a-z-]*/g) ?? []);
  expect({ code, unknown: [...flags].filter(([flag]) => !options.has(flag)) }).toEqual({ code: 0, unknown: [] });
});
