import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run, type Finished, type Surroundings } from '../../tools/child-process.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';
import { refusalOf, wayOutIn, ONLY_THESE } from '../support/denial-wording.ts';
import { reviewText } from '../support/review.ts';

const OLD = `apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: mnist, namespace: research, labels: {team: vision}}
spec:
  tfReplicaSpecs:
    Worker: {replicas: 9007199254740992, template: {spec: {containers: [{name: tensorflow, image: "mnist:v1"}]}}}
`;
const SCALED = OLD.replace('9007199254740992', '9007199254740993');
const RELABELLED = OLD.replace('vision', 'audio');
const WRONG_POLICY = 'apiVersion: jobguard/v1\nkind: UpdatePolicy\nmod: warn\nallow: [spec]\n';
const WRONG_POLICY_SAID = `error: wrong.yaml:3:1: mod: unknown key; did you mean "mode"?
error: wrong.yaml:4:9: allow[0]: "spec" is not a JSON Pointer; write "/spec"
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-test-'));
  const job = { metadata: { name: 'mnist' } };
  const files = {
    'old.yaml': OLD,
    'scaled.yaml': SCALED,
    'relabelled.yaml': RELABELLED,
    'wrong.yaml': WRONG_POLICY,
    'audit.yaml': 'apiVersion: jobguard/v1\nkind: UpdatePolicy\nmode: audit\n',
    'review.json': reviewText({ oldObject: job, object: { ...job, spec: { slots: 1 } } }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs the program as it is shipped; arguments that end like a file are files of the test. */
async function jobguard(args: readonly string[], around?: Surroundings): Promise<Finished> {
  const paths = args.map((arg) => (/\.(?:yaml|json)$/.test(arg) ? join(folder, arg) : arg));
  const finished = await run(process.execPath, [BUNDLE, ...paths], around);
  return { ...finished, stderr: finished.stderr.replaceAll(`${folder}/`, '') };
}

describe('jobguard check', () => {
  test('a denial: exit code 1, the verdict on stdout, nothing on stderr', async () => {
    expect(await jobguard(['check', 'old.yaml', 'scaled.yaml'])).toEqual({
      code: 1,
      stdout: `Denied: ${refusalOf('tfjobs.kubeflow.org "mnist" in namespace "research"')}

  refused    spec.tfReplicaSpecs[Worker].replicas (9007199254740992 → 9007199254740993)

${ONLY_THESE}${wayOutIn('research')}
`,
      stderr: '',
    });
  });

  test.each([
    ['an update that is allowed', ['old.yaml', 'relabelled.yaml'], 0],
    ['a denial, whatever the mode', ['old.yaml', 'scaled.yaml', '--policy', 'audit.yaml'], 1],
    ['an AdmissionReview that is denied', ['--review', 'review.json'], 1],
  ])('%s', async (_what, args, code) => {
    expect(await jobguard(['check', ...args, '-o', 'json'])).toMatchObject({ code, stderr: '' });
  });

  test('an object from stdin', async () => {
    expect(await jobguard(['check', 'old.yaml', '-'], { stdin: SCALED })).toMatchObject({ code: 1, stderr: '' });
  });

  test.each([
    ['a wrong policy', ['old.yaml', 'old.yaml', '--policy', 'wrong.yaml'], WRONG_POLICY_SAID],
    [
      'no file',
      [],
      'error: OLD and NEW, OLD and --patch, --git BASE, --live NEW, or --review FILE, are required; jobguard check --help has examples\n',
    ],
    ['an unknown flag', ['--olicy'], "error: unknown option '--olicy'\n(Did you mean --policy?)\n"],
  ])('%s: exit code 2, nothing on stdout', async (_what, args, stderr) => {
    expect(await jobguard(['check', ...args])).toEqual({ code: 2, stdout: '', stderr });
  });

  test.each([
    ['a missing file', ['check', 'old.yaml'], expect.stringMatching(/^OLD and NEW, /)],
    [
      'a wrong policy',
      ['check', 'old.yaml', 'old.yaml', '--policy', 'wrong.yaml'],
      WRONG_POLICY_SAID.replaceAll(/error: /g, '').trimEnd(),
    ],
    [
      'a wrong policy of another command',
      ['policy', '--policy', 'wrong.yaml'],
      WRONG_POLICY_SAID.replaceAll(/error: /g, '').trimEnd(),
    ],
    ['an unknown flag', ['check', '--olicy'], "unknown option '--olicy'\n(Did you mean --policy?)"],
    ['a missing value', ['check', '--as'], "option '--as <user>' argument missing"],
  ])('%s: with -o json an object that says why', async (_what, args, error) => {
    const { code, stdout, stderr } = await jobguard([...args.slice(0, 1), '-o', 'json', ...args.slice(1)]);
    expect({ code, stderr, ...(JSON.parse(stdout.replaceAll(`${folder}/`, '')) as object) }).toEqual({
      code: 2,
      stderr: '',
      error,
    });
  });

  test('no colour where stdout is no terminal, whatever the environment says', async () => {
    const { stdout } = await jobguard(['check', 'old.yaml', 'scaled.yaml'], { env: { FORCE_COLOR: '3' } });
    expect(stdout).not.toContain('\u001b');
  });

  test('an object of 1.5 MiB with one byte changed', async () => {
    const env = Array.from({ length: 30_000 }, (_, index) => ({
      name: `V${index}`,
      value: '0123456789012345678901234',
    }));
    const job = { apiVersion: 'kubeflow.org/v1', kind: 'TFJob', metadata: { name: 'mnist' }, spec: { env } };
    const big = JSON.stringify(job);
    await writeFile(join(folder, 'big.json'), big);
    const next = big.replace(/("V29999","value":")0/, '$19');
    expect((await jobguard(['check', 'big.json', '-'], { stdin: next })).stdout.split('\n').slice(0, 3)).toEqual([
      `Denied: ${refusalOf('tfjobs.kubeflow.org "mnist" in namespace "default"')}`,
      '',
      '  refused    spec.env[29999].value (changed)',
    ]);
  });
});

describe('jobguard policy', () => {
  test('prints a policy that it reads again as the same', async () => {
    const printed = await jobguard(['policy', '--policy', 'audit.yaml']);
    await writeFile(join(folder, 'printed.yaml'), printed.stdout);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(await jobguard(['policy', '--policy', 'printed.yaml'])).toEqual(printed);
  });

  test('a wrong policy: exit code 2, nothing on stdout', async () => {
    expect(await jobguard(['policy', '--policy', 'wrong.yaml'])).toEqual({
      code: 2,
      stdout: '',
      stderr: WRONG_POLICY_SAID,
    });
  });
});

test('serve does not start with a wrong policy', async () => {
  expect(await jobguard(['serve', '--dev', '--policy', 'wrong.yaml'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: WRONG_POLICY_SAID,
  });
});

test.each(['check', 'policy'])('%s explains itself with an example', async (command) => {
  const { code, stdout, stderr } = await jobguard([command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Examples?:\n {2}.*jobguard /m);
});
