import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parse } from 'yaml';

import { run, type Finished } from '../../tools/child-process.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';
import { at } from '../../tools/json-at.ts';
import manifest from '../../package.json' with { type: 'json' };

/** A manifest of a TFJob. */
function job(name: string, replicas: number, team = 'vision'): string {
  return `apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: ${name}, labels: {team: ${team}}}
spec:
  tfReplicaSpecs:
    Worker: {replicas: ${replicas}}
`;
}

const AUTHOR = ['-c', 'user.name=jane', '-c', 'user.email=jane@example.com', '-c', 'commit.gpgsign=false'];

let folder: string;

async function git(...args: readonly string[]): Promise<void> {
  expect(await run('git', [...AUTHOR, ...args], { cwd: folder })).toMatchObject({ code: 0 });
}

/** Runs `jobguard check` in the repository, or in a folder of it. */
function check(args: readonly string[], at = '', env: Record<string, string> = {}): Promise<Finished> {
  return run(process.execPath, [BUNDLE, 'check', ...args], { cwd: join(folder, at), env });
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'jobguard-git-')));
  await mkdir(join(folder, 'jobs/old'), { recursive: true });
  const files = {
    'jobs/scaled.yaml': job('scaled', 1),
    'jobs/old/moved.yaml': job('moved', 1),
    'jobs/same.yaml': job('same', 1),
    'jobs/deleted.yaml': job('deleted', 1),
    'jobs/broken.txt': 'no manifest',
    'other.yaml': job('other', 1),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'base');
  await writeFile(join(folder, 'jobs/scaled.yaml'), job('scaled', 4));
  await rename(join(folder, 'jobs/old/moved.yaml'), join(folder, 'jobs/new-name.yaml'));
  await writeFile(join(folder, 'jobs/new-name.yaml'), job('moved', 1, 'audio'));
  await rm(join(folder, 'jobs/deleted.yaml'));
  await writeFile(join(folder, 'jobs/ünew.yaml'), job('new', 1));
  await writeFile(join(folder, 'other.yaml'), job('other', 9));
  await git('add', 'jobs/scaled.yaml');
});
afterAll(() => rm(folder, { recursive: true }));

const SUBJECT = (name: string): string => `tfjobs.kubeflow.org "${name}" in namespace "default"`;

test.each([
  { where: 'at the top', at: '', prefix: 'jobs/' },
  { where: 'in a folder, whose paths are relative', at: 'jobs', prefix: '' },
])('$where: what changed since a revision is judged, an object in a renamed file, too', async ({ at, prefix }) => {
  const { code, stdout, stderr } = await check(['--git', 'main', at === '' ? 'jobs' : '.', '-o', 'github'], at);
  expect({ code, stderr, lines: stdout.trimEnd().split('\n') }).toEqual({
    code: 1,
    stderr: '',
    lines: [
      `::error file=${prefix}scaled.yaml,line=6,col=14,title=jobguard::${SUBJECT('scaled')}: spec.tfReplicaSpecs[Worker].replicas may not change (1 → 4)`,
      `denied   ${SUBJECT('scaled')}  ${prefix}scaled.yaml`,
      `allowed  ${SUBJECT('moved')}   ${prefix}new-name.yaml`,
      expect.stringMatching(new RegExp(`^created  TFJob "new" +${prefix}ünew.yaml$`)),
      expect.stringMatching(new RegExp(`^deleted  TFJob "deleted" +${prefix}deleted.yaml$`)),
      '',
      '1 denied, 1 allowed, 1 created, 1 deleted',
    ],
  });
});

test('without paths the whole repository is judged, wherever one is in it', async () => {
  expect((await check(['--git', 'main', '-o', 'json'], 'jobs')).stdout).toContain('"file": "../other.yaml"');
});

test('nothing to judge is no failure', async () => {
  expect(await check(['--git', 'main', 'jobs/same.yaml'])).toEqual({
    code: 0,
    stdout: 'nothing to judge\n',
    stderr: '',
  });
});

test.each([
  { what: 'no revision', args: ['--git', 'nope'], problem: '--git: "nope" is no revision of this repository' },
  {
    what: 'a flag for git',
    args: ['--git=--output=x'],
    problem: '--git: "--output=x" is no revision of this repository',
  },
  {
    what: 'a path outside',
    args: ['--git', 'main', '/'],
    problem: expect.stringMatching(/^--git: fatal: .*outside repository/),
  },
  { what: 'a patch', args: ['--git', 'main', '--patch', '{}'], problem: '--patch: not allowed with --git' },
])('$what: exit code 2', async ({ args, problem }) => {
  const { code, stdout } = await check([...args, '-o', 'json']);
  expect([code, JSON.parse(stdout)]).toEqual([2, { error: problem }]);
});

test('a folder that is no repository, and a PATH without git', async () => {
  const finished = await run(process.execPath, [BUNDLE, 'check', '--git', 'main'], { cwd: dirname(folder) });
  expect(finished).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^error: --git: fatal: not a git repository/),
  });
  const path = [dirname(process.execPath), folder].join(delimiter);
  expect(await check(['--git', 'main'], '', { PATH: path })).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: --git: there is no git on the PATH\n',
  });
});

test('the GitHub Action marks what would be refused, as its runner would run it', async () => {
  const action: unknown = parse(await readFile(join(import.meta.dirname, '../../action.yml'), 'utf8'));
  const script = String(at(action, 'runs', 'steps', 1, 'run'));
  // As npx would run the package that is published.
  const bin = join(folder, '.git/bin');
  await mkdir(bin);
  const npx = `#!/bin/sh\n[ "$1 $2" = "--yes jobguard@${manifest.version}" ] && shift 2 && exec '${process.execPath}' '${BUNDLE}' "$@"\n`;
  await writeFile(join(bin, 'npx'), npx, { mode: 0o755 });
  const env = {
    BASE: 'main',
    PATHS: 'jobs other.yaml',
    POLICY: '',
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  const { code, stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env });
  expect(code).toBe(1);
  expect(stdout.split('\n').filter((line) => line.startsWith('::error'))).toEqual([
    `::error file=jobs/scaled.yaml,line=6,col=14,title=jobguard::${SUBJECT('scaled')}: spec.tfReplicaSpecs[Worker].replicas may not change (1 → 4)`,
    `::error file=other.yaml,line=6,col=14,title=jobguard::${SUBJECT('other')}: spec.tfReplicaSpecs[Worker].replicas may not change (1 → 9)`,
  ]);
});

test('the job for GitLab CI shows each changed manifest as a test case, as its runner would run it', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/check.md'), 'utf8');
  const settings: unknown = parse(/^```yaml\n(jobguard:\n {2}image:.*?)^```$/ms.exec(page)?.[1] ?? '');
  const script = at(settings, 'jobguard', 'script');
  const clone = await mkdtemp(join(tmpdir(), 'jobguard-gitlab-'));
  try {
    expect(await run('git', ['clone', '--quiet', folder, clone])).toMatchObject({ code: 0 });
    await writeFile(join(clone, 'jobs/scaled.yaml'), job('scaled', 4));
    await writeFile(join(clone, 'jobs/same.yaml'), job('same', 1, 'audio'));
    // As npx would run the package that is published.
    const bin = join(clone, '.git/bin');
    await mkdir(bin);
    const npx = `#!/bin/sh\n[ "$1" = jobguard ] && shift && exec '${process.execPath}' '${BUNDLE}' "$@"\n`;
    await writeFile(join(bin, 'npx'), npx, { mode: 0o755 });
    const { code } = await run('bash', ['-euo', 'pipefail', '-c', Array.isArray(script) ? script.join('\n') : ''], {
      cwd: clone,
      env: { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main', PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` },
    });
    const report = await readFile(
      join(clone, String(at(settings, 'jobguard', 'artifacts', 'reports', 'junit'))),
      'utf8',
    );
    expect({ code, counts: /tests="\d+" failures="\d+"/.exec(report)?.[0] }).toEqual({
      code: 1,
      counts: 'tests="2" failures="1"',
    });
  } finally {
    await rm(clone, { recursive: true });
  }
});
