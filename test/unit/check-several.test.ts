import { describe, expect, test } from '@jest/globals';

import { checkCommand } from '../../src/commands/check.ts';
import { causeOf, refusalOf, wayOutIn, ONLY_THESE } from '../support/denial-wording.ts';
import { runCommand, type Outcome, type Surroundings } from '../support/run-command.ts';

interface Job {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly team?: string;
  readonly replicas?: number;
}

/** The manifest of a job; each field stands on a line of its own. */
function job({ kind = 'TFJob', name = 'mnist', namespace, team = 'vision', replicas = 1 }: Job = {}): string {
  return `apiVersion: kubeflow.org/v1
kind: ${kind}
metadata:
  name: ${name}
${namespace === undefined ? '' : `  namespace: ${namespace}\n`}  labels:
    team: ${team}
spec:
  tfReplicaSpecs:
    Worker:
      replicas: ${replicas}
`;
}

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n';

function check(args: readonly string[], files: Surroundings['files'] = {}): Promise<Outcome> {
  return runCommand(checkCommand, args, { files });
}

async function judged(args: readonly string[], files: Surroundings['files'] = {}): Promise<unknown> {
  return JSON.parse((await check([...args, '-o', 'json'], files)).stdout);
}

const OLD = [job(), job({ name: 'bert' }), job({ name: 'gone' }), POD].join('---\n');
const NEW = [job({ name: 'new' }), job({ name: 'bert', team: 'audio' }), job({ replicas: 4 }), POD].join('---\n');
const FILES = { 'old.yaml': OLD, 'new.yaml': NEW };

const MNIST = 'tfjobs.kubeflow.org "mnist" in namespace "default"';
const BERT = 'tfjobs.kubeflow.org "bert" in namespace "default"';
const SCALED = 'spec.tfReplicaSpecs[Worker].replicas';

const DENIAL = `Denied: ${refusalOf(MNIST)}

  refused    ${SCALED} (1 → 4)

${ONLY_THESE}${wayOutIn('default')}
`;

const TABLE = `allowed  ${BERT}   new.yaml
denied   ${MNIST}  new.yaml
created  TFJob "new"                                         new.yaml
deleted  TFJob "gone"                                        old.yaml

1 allowed, 1 denied, 1 created, 1 deleted, 1 not guarded
`;

describe('of several objects', () => {
  test('people read a table, then what is denied', async () => {
    expect(await check(['old.yaml', 'new.yaml'], FILES)).toEqual({
      code: 1,
      stdout: `${TABLE}\n${DENIAL}`,
      problems: [],
    });
  });

  test('programs read a list, with the file and the line of each', async () => {
    const verdict = { mode: 'enforce', exemption: null, hint: null, warnings: [] };
    expect(await judged(['old.yaml', 'new.yaml'], FILES)).toEqual({
      items: [
        {
          file: 'new.yaml',
          line: 12,
          object: BERT,
          ...verdict,
          allowed: true,
          decision: 'allow',
          changes: [expect.objectContaining({ path: '/metadata/labels/team', permitted: true })],
          message: null,
        },
        {
          file: 'new.yaml',
          line: 23,
          object: MNIST,
          ...verdict,
          allowed: false,
          decision: 'deny',
          changes: [expect.objectContaining({ path: '/spec/tfReplicaSpecs/Worker/replicas', permitted: false })],
          message: expect.stringContaining('(1 → 4)'),
        },
      ],
      created: 1,
      deleted: 1,
      notGuarded: 1,
    });
  });

  test('GitHub reads annotations with the place of each change', async () => {
    expect(await check(['old.yaml', 'new.yaml', '-o', 'github'], FILES)).toEqual({
      code: 1,
      stdout: `::error file=new.yaml,line=32,col=7,title=jobguard::${MNIST}: ${SCALED} ${causeOf('1 → 4')}\n${TABLE}`,
      problems: [],
    });
  });

  test('CI servers read a test case for each', async () => {
    const quoted = (text: string): string =>
      text.replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    expect(await check(['old.yaml', 'new.yaml', '-o', 'junit'], FILES)).toEqual({
      code: 1,
      stdout: `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="jobguard check" tests="4" failures="1" errors="0" skipped="2">
    <testcase classname="jobguard check" name="${quoted(BERT)}" file="new.yaml" line="12"/>
    <testcase classname="jobguard check" name="${quoted(MNIST)}" file="new.yaml" line="23">
      <failure message="${quoted(refusalOf(MNIST))}">${quoted(DENIAL)}</failure>
    </testcase>
    <testcase classname="jobguard check" name="TFJob &quot;new&quot;" file="new.yaml" line="1">
      <skipped message="created"/>
    </testcase>
    <testcase classname="jobguard check" name="TFJob &quot;gone&quot;" file="old.yaml" line="23">
      <skipped message="deleted"/>
    </testcase>
  </testsuite>
</testsuites>
`,
      problems: [],
    });
  });

  test('a patch of what is permitted is of one alone', async () => {
    expect(await check(['old.yaml', 'new.yaml', '-o', 'patch'], FILES)).toEqual({
      code: 2,
      stdout: '',
      problems: ['--output: patch is of one update, but there are 2'],
    });
  });

  test('where nothing is guarded there is nothing to judge', async () => {
    const files = { 'a/pod.yaml': POD, 'b/pod.yaml': POD };
    expect(await check(['a', 'b'], files)).toEqual({ code: 0, stdout: '1 not guarded\n', problems: [] });
    expect(await check(['a', 'b'], { 'a/x.txt': '', 'b/x.txt': '' })).toMatchObject({ stdout: 'nothing to judge\n' });
  });

  test('what cannot be judged counts more than what is denied', async () => {
    const scale = (name: string, replicas: string): string =>
      `apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: ${name}}\nspec: {replicas: ${replicas}}\n---\n`;
    const files = { 'old.yaml': scale('a', '1') + scale('b', '1'), 'new.yaml': scale('a', '2') + scale('b', 'many') };
    const args = ['old.yaml', 'new.yaml', '--subresource', 'scale', '--resource', 'pytorchjobs'];
    expect(await check([...args, '-o', 'github'], files)).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(
        /^::error .*\/scale "a".*\n::error .*\/scale "b" .*cannot be judged: spec\.replicas of the Scale is not a number\ndenied {12}/,
      ),
    });
    expect((await check([...args, '-o', 'junit'], files)).stdout).toContain(
      '<error message="spec.replicas of the Scale is not a number"/>',
    );
  });
});

describe('annotations for GitHub', () => {
  test('of a removed field are where it was', async () => {
    const next = job().replace(/ {4}Worker:\n.*\n/, '    PS: {}\n');
    const { stdout } = await check(['old.yaml', 'new.yaml', '-o', 'github'], { 'old.yaml': job(), 'new.yaml': next });
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^::error file=new\.yaml,line=9,col=5,.*\[PS\]/),
      expect.stringMatching(/^::error file=new\.yaml,line=8,col=3,.*\[Worker\]/),
    ]);
  });

  test('are ten, then a number', async () => {
    const env = (value: string): string =>
      job() + Array.from({ length: 14 }, (_, index) => `  x${String(index).padStart(2, '0')}: ${value}\n`).join('');
    const { stdout } = await check(['old.yaml', 'new.yaml', '-o', 'github'], {
      'old.yaml': env('a'),
      'new.yaml': env('b'),
    });
    const lines = stdout.split('\n').filter((line) => line.startsWith('::'));
    expect([lines.length, lines.at(-1)]).toEqual([
      11,
      `::error file=new.yaml,line=1,col=1,title=jobguard::${MNIST}: 4 more changes are not allowed`,
    ]);
  });

  test('are escaped, and hold warnings', async () => {
    const files = { 'old.yaml': job(), 'a,b:%.yaml': `${job({ team: 'a' })}  cleanPodPolicy: Nonesuch\n` };
    expect((await check(['old.yaml', 'a,b:%.yaml', '-o', 'github'], files)).stdout).toMatch(
      /^::warning file=a%2Cb%3A%25\.yaml,line=1,col=1,title=jobguard::tfjobs.*: spec\.cleanPodPolicy is not None/,
    );
  });

  test('of stdin and of a review have no file', async () => {
    const outcome = await runCommand(checkCommand, ['old.yaml', '-', '-o', 'github'], {
      files: { 'old.yaml': job() },
      stdin: job({ replicas: 4 }),
    });
    expect(outcome.stdout).toMatch(/^::error title=jobguard::tfjobs/);
  });

  test('of a patch are in OLD', async () => {
    const args = ['old.yaml', '--patch', '{"spec": {"tfReplicaSpecs": {"Worker": {"replicas": 4}}}}', '-o', 'github'];
    expect((await check(args, { 'old.yaml': job() })).stdout).toMatch(/^::error file=old\.yaml,line=10,col=7,/);
  });
});

describe('objects are paired', () => {
  test.each([
    { what: 'in whatever file they are', old: { 'a/x.yaml': job() }, next: { 'b/y/z.yml': job() }, result: [1, 0, 0] },
    {
      what: 'by namespace',
      old: { 'a/x.yaml': job({ namespace: 'a' }) },
      next: { 'b/x.yaml': job({ namespace: 'b' }) },
      result: [0, 1, 1],
    },
    {
      what: 'by kind',
      old: { 'a/x.yaml': job() },
      next: { 'b/x.yaml': job({ kind: 'PyTorchJob' }) },
      result: [0, 1, 1],
    },
    {
      what: 'with the only one of that name, where the new one names no namespace',
      old: { 'a/x.yaml': job({ namespace: 'a' }) },
      next: { 'b/x.yaml': job() },
      result: [1, 0, 0],
    },
    {
      what: 'not with one of two',
      old: { 'a/x.yaml': `${job({ namespace: 'a' })}---\n${job({ namespace: 'c' })}` },
      next: { 'b/x.yaml': job() },
      result: [0, 1, 2],
    },
    {
      what: 'with that of the flag, where neither names a namespace',
      old: { 'a/x.yaml': job({ namespace: 'here' }) },
      next: { 'b/x.yaml': job() },
      args: ['--namespace', 'here'],
      result: [1, 0, 0],
    },
  ])('$what', async ({ old, next, args = [], result }) => {
    const files: Record<string, string> = { ...old, ...next };
    const document = (await judged(['a', 'b', ...args], { ...files, 'a/0': '', 'b/0': '' })) as {
      items: unknown[];
      created: number;
      deleted: number;
    };
    expect([document.items.length, document.created, document.deleted]).toEqual(result);
  });

  test('one that is there twice is a mistake', async () => {
    const files = { 'a/x.yaml': job(), 'b/x.yaml': job(), 'b/y.yaml': `${POD}---\n${job()}` };
    expect(await check(['a', 'b'], files)).toEqual({
      code: 2,
      stdout: '',
      problems: ['b/y.yaml:5: TFJob "mnist" is also in b/x.yaml:1'],
    });
  });
});

describe('a folder', () => {
  test('holds other things, which are passed over', async () => {
    const files = {
      'a/job.yaml': job(),
      'b/job.yaml': job(),
      'b/README.md': '# apiVersion: x',
      'b/values.yaml': 'replicas: 1\n',
      'b/empty.yaml': '',
      'b/template.yaml': 'apiVersion: v1\nkind: {{ .Values.kind }}\n{{- if .x }}\n',
      'b/package.json': '{"name": "x"}',
      'b/list.json': '[1]',
      'b/generated.yaml': 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: x-}\n',
      'b/.hidden/job.yaml': job(),
      'b/node_modules/job.yaml': job(),
    };
    expect(await judged(['a', 'b'], files)).toMatchObject({ items: [{}], created: 0, deleted: 0, notGuarded: 0 });
  });

  test('with a manifest that cannot be read cannot be judged', async () => {
    const files = { 'a/job.yaml': job(), 'b/job.yaml': `${job()}spec: {}\n` };
    expect(await check(['a', 'b'], files)).toEqual({
      code: 2,
      stdout: '',
      problems: ['b/job.yaml:11:1: duplicate key "spec"'],
    });
  });
});

describe('a file that was named says what is wrong with it', () => {
  test.each([
    [
      'a Helm template',
      '{{- if .x }}\napiVersion: v1\n',
      'new.yaml: is a Helm template; render it first, with helm template',
    ],
    ['a page', '# Title\n', 'new.yaml: contains no Kubernetes object'],
    ['a binary file', new Uint8Array([1, 0]), 'new.yaml: is a binary file, not text'],
    ['a file that is too large', new Uint8Array(33 * 1024 * 1024), 'new.yaml: is larger than 32 MiB'],
  ])('%s', async (_what, content, problem) => {
    expect(await check(['old.yaml', 'new.yaml'], { 'old.yaml': job(), 'new.yaml': content })).toEqual({
      code: 2,
      stdout: '',
      problems: [problem],
    });
  });

  test('a folder where a patch, a policy or one object is expected', async () => {
    const files = { 'a/job.yaml': job(), 'two.yaml': `${job()}---\n${job({ name: 'b' })}` };
    const problems = async (...args: string[]): Promise<unknown> => (await check(args, files)).problems;
    expect(await problems('a/job.yaml', '--patch-file', 'a')).toEqual([
      expect.stringMatching(/a: is a folder; a file is expected here$/),
    ]);
    expect(await problems('a', '--patch', '{}')).toEqual([
      expect.stringMatching(/^\S*a: is a folder; --patch patches the object of one file$/),
    ]);
    expect(await problems('two.yaml', '--patch', '{}')).toEqual(['two.yaml: contains 2 objects; --patch patches one']);
  });

  test('stdin that is too large', async () => {
    const stdin = '#'.repeat(33 * 1024 * 1024);
    expect(await runCommand(checkCommand, ['old.yaml', '-'], { files: { 'old.yaml': job() }, stdin })).toMatchObject({
      problems: ['stdin: is larger than 32 MiB'],
    });
  });
});

describe('what kubectl apply makes of OLD and NEW', () => {
  const LAST = 'kubectl.kubernetes.io/last-applied-configuration';
  const SERVER = '{"uid": "1", "name": "mnist", "labels": {"a": "1", "b": "2"}';
  const stored = (last?: object, spec = '{"x": 1, "y": {"z": 1, "w": 2}}'): string => {
    const annotations =
      last === undefined ? '' : `, "annotations": {"${LAST}": ${JSON.stringify(JSON.stringify(last))}}`;
    return `{"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "metadata": ${SERVER}${annotations}}, "spec": ${spec}}`;
  };
  const next = (rest: string): string =>
    `{"apiVersion": "kubeflow.org/v1", "kind": "TFJob", "metadata": {"name": "mnist"}${rest}}`;

  test.each([
    { what: 'what NEW does not name stays, where nothing was applied', old: stored(), rest: '', changes: [] },
    {
      what: 'what was applied and NEW does not name goes',
      old: stored({ metadata: { labels: { a: '1' } }, spec: { y: { z: 1 } } }),
      rest: ', "spec": {"y": {}}',
      changes: ['remove /metadata/labels', 'remove /spec/y/z'],
    },
    {
      what: 'a default of the CRD that NEW leaves out is no change',
      old: stored(
        undefined,
        '{"tfReplicaSpecs": {"PS": {"template": {"spec": {"containers": [{"ports": [{"protocol": "TCP"}]}]}}}}}',
      ),
      rest: ', "spec": {"tfReplicaSpecs": {"PS": {"template": {"spec": {"containers": [{"ports": [{}]}]}}}}}',
      changes: [],
    },
    { what: 'null removes', old: stored(), rest: ', "spec": {"x": null}', changes: ['remove /spec/x'] },
    {
      what: 'null that was applied as null stays',
      old: stored({ spec: { x: null } }),
      rest: ', "spec": {"x": null}',
      changes: [],
    },
    {
      what: 'lists are replaced as a whole',
      old: stored(undefined, '{"l": [1, 2]}'),
      rest: ', "spec": {"l": [3]}',
      changes: ['replace /spec/l/0', 'remove /spec/l/1'],
    },
    {
      what: 'a map in place of a text has no null',
      old: stored(undefined, '{"l": "a"}'),
      rest: ', "spec": {"l": {"a": 1, "b": null}}',
      changes: ['replace /spec/l'],
    },
    {
      what: 'an annotation that is no JSON removes nothing',
      old: stored().replace('}, "spec"', `, "annotations": {"${LAST}": "{"}}, "spec"`),
      rest: '',
      changes: [],
    },
    { what: 'that annotation of NEW is not sent', old: stored(), rest: '', changes: [], annotated: true },
    {
      what: 'OLD that comes from no server is what was applied',
      old: stored().replace('"uid": "1", ', ''),
      rest: ', "spec": {"x": 1}',
      changes: ['remove /metadata/labels', 'remove /spec/y'],
    },
    {
      what: 'with --replace NEW is the whole',
      old: stored(),
      rest: ', "spec": {"x": 1}',
      args: ['--replace'],
      changes: ['remove /metadata/labels', 'remove /spec/y'],
    },
  ])('$what', async ({ old, rest, changes, args = [], annotated = false }) => {
    const text = annotated ? next(rest).replace('"mnist"}', `"mnist", "annotations": {"${LAST}": "{}"}}`) : next(rest);
    const files = { 'old.json': old, 'new.json': text };
    const document = (await judged(['old.json', 'new.json', ...args], files)) as {
      changes: { op: string; path: string }[];
    };
    expect(document.changes.map(({ op, path }) => `${op} ${path}`)).toEqual(changes);
  });
});
