import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Finished } from '../../tools/child-process.ts';
import { goTool } from '../../tools/go/tool.ts';
import { pypiTool } from '../../tools/pypi-tool.ts';
import { unlessMissing } from '../support/missing-layer.ts';

const ROOT = join(import.meta.dirname, '../..');

const ACTIONLINT = {
  name: 'actionlint',
  package: 'github.com/rhysd/actionlint/cmd/actionlint',
  version: 'v1.7.12',
  override: 'ACTIONLINT',
};
const ZIZMOR = { name: 'zizmor', version: '1.32.0', override: 'ZIZMOR' };

interface Linters {
  readonly actionlint: (...paths: string[]) => Promise<Finished>;
  readonly zizmor: (...paths: string[]) => Promise<Finished>;
}

async function findLinters(): Promise<Linters> {
  const [actionlint, zizmor] = [await goTool(ACTIONLINT), await pypiTool(ZIZMOR)];
  return {
    // shellcheck and pyflakes would be run where they happen to be installed.
    actionlint: (...paths) => run(actionlint, ['-no-color', '-shellcheck=', '-pyflakes=', ...paths], { cwd: ROOT }),
    zizmor: (...paths) =>
      run(zizmor, ['--offline', '--quiet', '--persona=pedantic', '--color=never', ...paths], { cwd: ROOT }),
  };
}

const linters = await unlessMissing('the tests of the workflows: no linters', findLinters);

const WRONG = `on: pull_request_target
jobs:
  greet:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: echo "\${{ github.event.pull_request.title }}" \${{ steps.none.outputs.x }}
`;

(linters === undefined ? describe.skip : describe)('the workflows', () => {
  const { actionlint, zizmor } = linters ?? ({} as Linters);
  const workflows = globSync('.github/workflows/*.yml', { cwd: ROOT }).sort();
  let folder: string;
  let wrong: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-workflows-'));
    wrong = join(folder, 'wrong.yml');
    await writeFile(wrong, WRONG);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('actionlint has no findings in them, and has some in a wrong one', async () => {
    expect(await actionlint(...workflows)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await actionlint(wrong)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('is potentially untrusted'),
    });
  });

  test('zizmor has no findings in them, in the action nor in Dependabot’s settings, and has some in a wrong one', async () => {
    const clean = { code: 0, stdout: 'No findings to report. Good job!\n', stderr: '' };
    expect(await zizmor(...workflows, '.github/dependabot.yml', 'action.yml')).toEqual(clean);
    const { code, stdout } = await zizmor(wrong);
    expect(code).toBeGreaterThan(10);
    expect(stdout).toContain('error[template-injection]');
    expect(stdout).toContain('error[unpinned-uses]');
  });
});
