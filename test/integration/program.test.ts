import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import { at } from '../../tools/json-at.ts';
import { run } from '../../tools/child-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUNDLE = join(ROOT, 'dist/jobguard.js');

test('--version prints the version of the package', async () => {
  const version = at(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')), 'version');
  expect(await run(process.execPath, [BUNDLE, '--version'])).toEqual({
    code: 0,
    stdout: `${String(version)}\n`,
    stderr: '',
  });
});

test.each([[['serve', '--dev']], [['check', 'old.yaml', 'new.yaml']], [['policy']], [['version']], [['--version']]])(
  'on a Node below 24, %j says so in one line and exits with 2',
  async (args) => {
    expect(await run(process.execPath, ['--import', OLDER_NODE, BUNDLE, ...args])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: jobguard requires Node.js 24 or later, but this is 23.11.1\n',
    });
  },
);

/** A module that makes Node take itself for an older one. */
const OLDER_NODE =
  "data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '23.11.1' } });";
