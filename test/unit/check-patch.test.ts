import { describe, expect, test } from '@jest/globals';

import { checkCommand } from '../../src/commands/check.ts';
import { isMap, parseJson } from '../../src/core/json.ts';
import { exactJsonText } from '../../src/kube/exact-text.ts';
import { applyJsonPatch } from '../../src/kube/json-patch.ts';
import { runCommand, type Outcome, type Surroundings } from '../support/run-command.ts';

const OLD = `apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: mnist, namespace: research, labels: {team: vision}}
spec:
  runPolicy: {cleanPodPolicy: None, backoffLimit: 9007199254740993}
  tfReplicaSpecs:
    Worker: {replicas: 1, template: {spec: {containers: [{name: tensorflow, image: "mnist:v1"}]}}}
`;

/** Judges OLD with what `args` do to it. */
function check(args: readonly string[], around: Surroundings = {}): Promise<Outcome> {
  const files = { 'old.yaml': OLD, ...around.files };
  return runCommand(checkCommand, ['old.yaml', ...args], { ...around, files });
}

async function changesOf(args: readonly string[], around: Surroundings = {}): Promise<readonly string[]> {
  const { stdout } = await check([...args, '-o', 'json'], around);
  const document = JSON.parse(stdout) as { changes: { path: string; op: string }[] };
  return document.changes.map(({ op, path }) => `${op} ${path}`);
}

describe('a merge patch is sent as kubectl patch sends it', () => {
  test.each([
    ['a field is set', '{"metadata": {"labels": {"team": "audio"}}}', ['replace /metadata/labels/team']],
    ['null removes', '{"spec": {"runPolicy": {"cleanPodPolicy": null}}}', ['remove /spec/runPolicy/cleanPodPolicy']],
    ['null in what is new adds nothing', '{"metadata": {"annotations": {"a": null}}}', []],
    ['a list is replaced as a whole', '{"spec": {"x": [{"a": null}]}}', ['add /spec/x']],
    ['YAML is as good', 'metadata: {labels: {tier: gold}}', ['add /metadata/labels/tier']],
    [
      'a key may be called anything',
      '{"metadata": {"labels": {"__proto__": "a", "constructor": "b"}}}',
      ['add /metadata/labels/__proto__', 'add /metadata/labels/constructor'],
    ],
    [
      'numbers keep their digits',
      '{"spec": {"runPolicy": {"backoffLimit": 9007199254740992}}}',
      ['replace /spec/runPolicy/backoffLimit'],
    ],
    ['the same number is no change', '{"spec": {"runPolicy": {"backoffLimit": 9007199254740993}}}', []],
    ['the status is not changed by it', '{"status": {"startTime": "now"}}', []],
  ])('%s', async (_what, patch, changes) => {
    expect(await changesOf(['--patch', patch])).toEqual(changes);
  });

  test.each([
    ['a list', '[]', '--patch: a merge patch is a map; for a list of operations add --type json'],
    ['a text', 'hello', '--patch: a merge patch is a map'],
    ['no YAML', '{"a": ', expect.stringMatching(/^--patch:1:\d+: /)],
    ['another name', '{"metadata": {"name": "bert"}}', '--patch: metadata.name is "bert", but "mnist" in old.yaml'],
  ])('%s is no patch of this object', async (_what, patch, problem) => {
    expect(await check(['--patch', patch])).toEqual({ code: 2, stdout: '', problems: [problem] });
  });

  test.each([
    ['a file', ['--patch-file', 'patch.yaml'], { files: { 'patch.yaml': 'metadata: {labels: {team: audio}}' } }],
    ['stdin', ['--patch-file', '-'], { stdin: 'metadata: {labels: {team: audio}}' }],
  ])('it is read from %s', async (_what, args, around) => {
    expect(await changesOf(args, around)).toEqual(['replace /metadata/labels/team']);
  });
});

describe('a JSON patch is sent as kubectl patch --type json sends it', () => {
  const operations = (...list: readonly object[]): string[] => ['--type', 'json', '--patch', JSON.stringify(list)];

  test.each([
    ['add', { op: 'add', path: '/metadata/labels/tier', value: 'gold' }, ['add /metadata/labels/tier']],
    ['replace', { op: 'replace', path: '/metadata/labels/team', value: 'a' }, ['replace /metadata/labels/team']],
    ['remove', { op: 'remove', path: '/spec/runPolicy/backoffLimit' }, ['remove /spec/runPolicy/backoffLimit']],
    [
      'move',
      { op: 'move', from: '/metadata/labels/team', path: '/metadata/labels/a~1b' },
      ['add /metadata/labels/a~1b', 'remove /metadata/labels/team'],
    ],
    ['copy', { op: 'copy', from: '/spec/runPolicy', path: '/metadata/labels/x' }, ['add /metadata/labels/x']],
    ['test', { op: 'test', path: '/spec/runPolicy/cleanPodPolicy', value: 'None' }, []],
    ['test of the whole', { op: 'test', path: '/spec/tfReplicaSpecs/Worker/replicas', value: 1 }, []],
    [
      'an item at the end',
      { op: 'add', path: '/spec/tfReplicaSpecs/Worker/template/spec/containers/-', value: { name: 'x' } },
      ['add /spec/tfReplicaSpecs/Worker/template/spec/containers/1'],
    ],
  ])('%s', async (_what, operation, changes) => {
    expect(await changesOf(operations(operation))).toEqual(changes);
  });

  test('a copied number keeps its digits', () => {
    const object = parseJson('{"a": 9007199254740993, "b": {"c": 1e400, "d": "\\u0000n1"}}');
    const patch = parseJson('[{"op":"copy","from":"/b","path":"/e"},{"op":"add","path":"/f","value":-1e400}]');
    expect(exactJsonText([applyJsonPatch(isMap(object) ? object : {}, patch)]).replaceAll(/\s/g, '')).toBe(
      '[{"a":9007199254740993,"b":{"c":1e400,"d":"\\u0000n1"},"e":{"c":1e400,"d":"\\u0000n1"},"f":-1e400}]',
    );
  });

  const SET = { op: 'replace', path: '/metadata/labels/team', value: 'a' };

  test.each([
    ['no map', ['x'], 'operation 1 is not a map'],
    [
      'an unknown operation',
      [{ op: 'toString', path: '/a' }],
      'operation 1 (toString /a) must have an "op" of add, remove, replace, move, copy or test',
    ],
    [
      'no path',
      [SET, { op: 'remove' }],
      'operation 2 (remove) must have a "path" that is a JSON Pointer such as /metadata/labels/team',
    ],
    [
      'a path that is no pointer',
      [{ op: 'remove', path: 'spec' }],
      'operation 1 (remove spec) must have a "path" that is a JSON Pointer such as /metadata/labels/team',
    ],
    ['no value', [{ op: 'add', path: '/a' }], 'operation 1 (add /a) must have a "value"'],
    [
      'no from',
      [{ op: 'move', path: '/a' }],
      'operation 1 (move /a) must have a "from" that is a JSON Pointer such as /metadata/labels/team',
    ],
    [
      'a from that is not there',
      [{ op: 'copy', from: '/b', path: '/a' }],
      'operation 1 (copy /a) has a "from" that does not exist in the object',
    ],
    [
      'a parent that is not there',
      [SET, { op: 'add', path: '/spec/a/b', value: 1 }],
      'operation 2 (add /spec/a/b) cannot add there: what would hold the value does not exist',
    ],
    [
      'a path that is not there',
      [{ op: 'replace', path: '/spec/a', value: 1 }],
      'operation 1 (replace /spec/a) names a path that does not exist in the object',
    ],
    [
      'a path through a text',
      [{ op: 'remove', path: '/kind/a/b' }],
      'operation 1 (remove /kind/a/b) names a path that does not exist in the object',
    ],
    [
      'an index that is a name',
      [{ op: 'add', path: '/spec/tfReplicaSpecs/Worker/template/spec/containers/x', value: 1 }],
      'operation 1 (add /spec/tfReplicaSpecs/Worker/template/spec/containers/x) must name an item of a list by its index, or by - for the end',
    ],
    [
      'an index past the end',
      [{ op: 'add', path: '/spec/tfReplicaSpecs/Worker/template/spec/containers/7', value: 1 }],
      'operation 1 (add /spec/tfReplicaSpecs/Worker/template/spec/containers/7) names an index past the end of the list',
    ],
    [
      'a test that fails',
      [{ op: 'test', path: '/kind', value: 'Pod' }],
      'operation 1 (test /kind) failed: the object has another value there',
    ],
    [
      'a key of every JavaScript object',
      [{ op: 'add', path: '/metadata/__proto__', value: 1 }],
      'operation 1 (add /metadata/__proto__) names "__proto__", or "prototype" of "constructor", which is not supported here',
    ],
  ])('%s: the operation and the path are named', async (_what, patch, problem) => {
    const args = ['--type', 'json', '--patch', JSON.stringify(patch)];
    expect(await check(args)).toEqual({ code: 2, stdout: '', problems: [`--patch: ${problem}`] });
  });

  test.each([
    ['a map', '{}', '--patch: a JSON Patch is a list of operations'],
    ['what leaves no object', '[{"op": "remove", "path": ""}]', '--patch: leaves no object'],
  ])('%s is none', async (_what, patch, problem) => {
    expect(await check(['--type', 'json', '--patch', patch])).toEqual({ code: 2, stdout: '', problems: [problem] });
  });
});

test('programs read the values that may be shown, every digit of them', async () => {
  const patch =
    '{"metadata": {"annotations": {"a": "secret"}}, "spec": {"runPolicy": {"backoffLimit": 9007199254740992}}}';
  const { stdout } = await check(['--patch', patch, '-o', 'json']);
  expect(stdout).toContain(`      "op": "replace",
      "permitted": false,
      "oldValue": 9007199254740993,
      "newValue": 9007199254740992
`);
  expect(stdout).not.toContain('secret');
});

test('programs read an image as people do', async () => {
  const path = '/spec/tfReplicaSpecs/Worker/template/spec/containers/0/image';
  const patch = JSON.stringify([{ op: 'replace', path, value: 'mnist:v2' }]);
  const { stdout } = await check(['--type', 'json', '--patch', patch, '-o', 'json']);
  expect(stdout).toContain(`      "oldValue": "mnist:v1",
      "newValue": "mnist:v2"
`);
});

describe('-o patch prints what is permitted, which applies and passes', () => {
  const HEAD = 'apiVersion: jobguard/v1\nkind: UpdatePolicy\n';

  test.each([
    {
      what: 'the permitted one of two changes',
      patch: '{"metadata": {"labels": {"team": "audio"}}, "spec": {"tfReplicaSpecs": null}}',
      code: 1,
      printed: [{ op: 'replace', path: '/metadata/labels/team', value: 'audio' }],
    },
    {
      what: 'what stands in a map that is new',
      patch: '{"metadata": {"annotations": {"a/b": "c"}}}',
      code: 0,
      printed: [{ op: 'add', path: '/metadata/annotations', value: { 'a/b': 'c' } }],
    },
    {
      what: 'the permitted part of what goes as a whole',
      patch: '{"spec": {"runPolicy": null}}',
      code: 1,
      printed: [{ op: 'remove', path: '/spec/runPolicy/cleanPodPolicy' }],
    },
    { what: 'nothing where nothing is permitted', patch: '{"spec": {"x": 1}}', code: 1, printed: [] },
    { what: 'nothing where nothing changes', patch: '{}', code: 0, printed: [] },
    {
      what: 'what an exemption permits this writer',
      patch: '{"spec": {"tfReplicaSpecs": {"Worker": {"replicas": 9007199254740993, "x": 1}}}}',
      args: ['--as', 'jane', '--policy', 'policy.yaml'],
      code: 1,
      printed: '[{"op":"replace","path":"/spec/tfReplicaSpecs/Worker/replicas","value":9007199254740993}]',
    },
    {
      what: 'items of a list, those that go last to first',
      patch: '{"spec": {"runPolicy": {"list": [0, 9]}}}',
      old: OLD.replace('backoffLimit', 'list: [0, 1, 2, 3], backoffLimit'),
      args: ['--as', 'jane', '--policy', 'policy.yaml'],
      code: 0,
      printed: [
        { op: 'remove', path: '/spec/runPolicy/list/3' },
        { op: 'remove', path: '/spec/runPolicy/list/2' },
        { op: 'replace', path: '/spec/runPolicy/list/1', value: 9 },
      ],
    },
    {
      what: 'an item only with those before it',
      patch: '{"spec": {"runPolicy": {"list": [0, 1, 2]}}}',
      old: OLD.replace('backoffLimit', 'list: [0], backoffLimit'),
      args: ['--as', 'joe', '--policy', 'policy.yaml'],
      code: 1,
      printed: [],
    },
  ])('$what', async ({ patch, args = [], old = OLD, code, printed }) => {
    const policy = `${HEAD}exemptions:
  - {name: list, usernames: [jane], paths: [/spec/runPolicy/list/*, /spec/tfReplicaSpecs/*/replicas]}
  - {name: item, usernames: [joe], paths: [/spec/runPolicy/list/2]}
allowUnknownPaths: true
`;
    const files = { 'old.yaml': old, 'policy.yaml': policy };
    const outcome = await check(['--patch', patch, '-o', 'patch', ...args], { files });
    const expected = typeof printed === 'string' ? printed : JSON.stringify(printed);
    expect({ ...outcome, stdout: outcome.stdout.replaceAll(/\s/g, '') }).toEqual({
      code,
      stdout: expected,
      problems: [],
    });
    const alone = await check(['--type', 'json', '--patch', outcome.stdout, ...args], { files });
    expect(alone).toMatchObject({ code: 0, problems: [] });
  });

  const SCALE = 'apiVersion: autoscaling/v1\nkind: Scale\nmetadata: {name: bert}\nspec: {replicas: 2}\n';
  test.each([
    ['who may', ['--as', 'jane'], 0, [{ op: 'replace', path: '/spec/replicas', value: 3 }]],
    ['who may not', [], 1, []],
  ])('of a Scale by somebody %s', async (_who, args, code, printed) => {
    const policy = `${HEAD}exemptions: [{name: e, usernames: [jane], paths: [/spec/pytorchReplicaSpecs/Worker/replicas]}]\n`;
    const scale = ['--subresource', 'scale', '--resource', 'pytorchjobs', '--policy', 'policy.yaml'];
    const outcome = await check(['--patch', 'spec: {replicas: 3}', '-o', 'patch', ...scale, ...args], {
      files: { 'old.yaml': SCALE, 'policy.yaml': policy },
    });
    expect([outcome.code, JSON.parse(outcome.stdout)]).toEqual([code, printed]);
  });

  test('of what cannot be judged there is none', async () => {
    const files = {
      'review.json':
        '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"a","operation":"CREATE","resource":{"group":"kubeflow.org","version":"v1","resource":"tfjobs"}}}',
    };
    expect(await runCommand(checkCommand, ['--review', 'review.json', '-o', 'patch'], { files })).toEqual({
      code: 0,
      stdout: '[]\n',
      problems: [],
    });
  });
});

describe('flags that do not go together', () => {
  test.each([
    ['two patches', ['old.yaml', '--patch', '{}', '--patch-file', 'a'], '--patch-file: not allowed with --patch'],
    ['NEW and a patch', ['old.yaml', 'new.yaml', '--patch', '{}'], 'NEW: not allowed with --patch'],
    [
      'NEW and a file of a patch',
      ['old.yaml', 'new.yaml', '--patch-file', 'old.yaml'],
      'NEW: not allowed with --patch-file',
    ],
    ['stdin twice', ['-', '--patch-file', '-'], 'OLD and --patch-file cannot both be stdin'],
    ['stdin as a policy, too', ['-', 'old.yaml', '--policy', '-'], 'OLD and --policy cannot both be stdin'],
    [
      'a patch of nothing',
      ['--patch', '{}'],
      'OLD and NEW, OLD and --patch, --git BASE, --live NEW, or --review FILE, are required; jobguard check --help has examples',
    ],
    ['a review with a patch', ['--review', 'old.yaml', '--patch', '{}'], '--patch: not allowed with --review'],
  ])('%s', async (_what, args, problem) => {
    expect(await runCommand(checkCommand, args, { files: { 'old.yaml': OLD } })).toEqual({
      code: 2,
      stdout: '',
      problems: [problem],
    });
  });
});

test('what is nested too deeply to be copied cannot be judged', async () => {
  const text = JSON.stringify([{ op: 'add', path: '/spec/x', value: 0 }]).replace(
    ':0',
    `:${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  );
  expect(await check(['--type', 'json', '--patch', text])).toEqual({
    code: 2,
    stdout: '',
    problems: ['an object or a patch is nested too deeply'],
  });
});
