import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { run, type Finished } from '../../tools/child-process.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';
import { pythonPackage } from '../../tools/pypi-tool.ts';
import { unlessMissing } from '../support/missing-layer.ts';
import manifest from '../../package.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '../..');
/** pip takes its time on a slow line. */
const TIMEOUT_MS = 120_000;

const preCommit = await unlessMissing('the tests of the pre-commit hook: no pre-commit', () =>
  pythonPackage('pre-commit', '4.7.0'),
);

/** A manifest of a TFJob. */
function job(replicas: number, team: string): string {
  return `apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: mnist, labels: {team: ${team}}}
spec:
  tfReplicaSpecs:
    Worker: {replicas: ${replicas}}
`;
}

(preCommit === undefined ? describe.skip : describe)('the pre-commit hook', () => {
  let folder: string;
  let repository: string;

  const inRepository = (command: string, args: readonly string[], cwd = repository): Promise<Finished> =>
    run(command, args, {
      cwd,
      env: {
        PYTHONPATH: preCommit ?? '',
        PRE_COMMIT_HOME: join(folder, 'cache'),
        PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
        GIT_CONFIG_COUNT: '2',
        GIT_CONFIG_KEY_0: 'user.name',
        GIT_CONFIG_VALUE_0: 'jane',
        GIT_CONFIG_KEY_1: 'user.email',
        GIT_CONFIG_VALUE_1: 'jane@example.com',
      },
    });
  const commit = async (files: Readonly<Record<string, string>>): Promise<Finished> => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(repository, name), text);
    await inRepository('git', ['add', '.']);
    return inRepository('git', ['commit', '--message', 'Change the job']);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-pre-commit-'));
    await mkdir(join(folder, 'bin'));
    // As npx would run the package that is published.
    const npx = `#!/bin/sh\n[ "$1 $2" = "--yes jobguard@${manifest.version}" ] && shift 2 && exec '${process.execPath}' '${BUNDLE}' "$@"\n`;
    await writeFile(join(folder, 'bin/npx'), npx, { mode: 0o755 });

    const hooks = join(folder, 'hooks');
    await mkdir(hooks);
    await copyFile(join(ROOT, '.pre-commit-hooks.yaml'), join(hooks, '.pre-commit-hooks.yaml'));
    repository = join(folder, 'repository');
    await mkdir(repository);
    for (const cwd of [hooks, repository]) await inRepository('git', ['init', '--quiet'], cwd);
    await inRepository('git', ['add', '.'], hooks);
    await inRepository('git', ['commit', '--quiet', '--message', 'hooks'], hooks);
    await inRepository('git', ['tag', `v${manifest.version}`], hooks);

    const page = await readFile(join(ROOT, 'docs/ci.md'), 'utf8');
    const config = /^```yaml\n(repos:.*?)^```$/ms.exec(page)?.[1] ?? '';
    await commit({
      '.pre-commit-config.yaml': config.replace(/https:\S+/, hooks),
      'policy.yaml': 'apiVersion: jobguard/v1\nkind: UpdatePolicy\n',
      'mnist.yaml': job(1, 'vision'),
    });
    await inRepository('python3', ['-m', 'pre_commit', 'install']);
  }, TIMEOUT_MS);
  afterAll(() => rm(folder, { recursive: true }));

  test(
    'lets a commit through that changes a label, and stops one that changes the replicas',
    async () => {
      expect(await commit({ 'mnist.yaml': job(1, 'audio') })).toMatchObject({ code: 0 });
      const { code, stdout, stderr } = await commit({ 'mnist.yaml': job(4, 'audio') });
      expect({ code, output: stdout + stderr }).toEqual({
        code: 1,
        output: expect.stringMatching(
          /jobguard check\.+Failed[^]*refused {4}spec\.tfReplicaSpecs\[Worker\]\.replicas \(1 → 4\)/,
        ),
      });
    },
    TIMEOUT_MS,
  );
});
