import { describe, expect, test } from '@jest/globals';
import { CommanderError } from 'commander';

import { checkCommand } from '../../src/commands/check.ts';
import {
  denialOf,
  HINTS,
  MISREAD,
  refusalOf,
  UNJUDGEABLE,
  WAY_OUT,
  wayOutIn,
  ONLY_THESE,
} from '../support/denial-wording.ts';
import { reviewText } from '../support/review.ts';
import { runCommand, type Outcome, type Surroundings } from '../support/run-command.ts';

const OLD = `apiVersion: kubeflow.org/v1
kind: TFJob
metadata: {name: mnist, namespace: research, labels: {team: vision}}
spec:
  runPolicy: {cleanPodPolicy: None, suspend: false}
  tfReplicaSpecs:
    Worker:
      replicas: 1
      template:
        spec:
          containers: [{name: tensorflow, image: "mnist:v1", env: [{name: TOKEN, value: hunter2}]}]
`;
const RELABELLED = OLD.replace('vision', 'audio');
const SCALED = OLD.replace('replicas: 1', 'replicas: 4');
const SUSPENDED = OLD.replace('suspend: false', 'suspend: true');
const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';

const MNIST = 'tfjobs.kubeflow.org "mnist" in namespace "research"';

const HEAD = 'apiVersion: jobguard/v1\nkind: UpdatePolicy\n';
const POLICY = `${HEAD}presets: {kueue: true}
allowBroadIdentities: true
namespaceModes:
  - {namespaces: [sandbox], mode: warn}
  - {namespaces: [archive], mode: audit}
exemptions:
  - {name: admins, groups: ["platform:admins"], paths: [/spec/tfReplicaSpecs/*/replicas]}
  - {name: everybody, groups: ["system:authenticated"], namespaces: [open], paths: [/spec/runPolicy/suspend]}
`;

/** Judges the update of OLD to `next`. */
async function check(next: string, args: readonly string[] = [], around: Surroundings = {}): Promise<Outcome> {
  const files = { 'old.yaml': OLD, 'new.yaml': next, 'policy.yaml': POLICY, ...around.files };
  return runCommand(checkCommand, ['old.yaml', 'new.yaml', ...args], { ...around, files });
}

async function judged(next: string, args: readonly string[] = [], around: Surroundings = {}): Promise<unknown> {
  const { stdout } = await check(next, ['-o', 'json', ...args], around);
  return JSON.parse(stdout);
}

const mayChange = (wayOut: string): string => `${ONLY_THESE}${wayOut}
`;
const MAY_CHANGE = mayChange(wayOutIn('research'));

describe('what people read', () => {
  test.each([
    [
      'an update of nothing',
      OLD,
      [],
      0,
      'Allowed: tfjobs.kubeflow.org "mnist" in namespace "research" does not change\n',
    ],
    [
      'an update of what everybody may change',
      RELABELLED,
      [],
      0,
      `Allowed: tfjobs.kubeflow.org "mnist" in namespace "research" may be updated

  permitted  metadata.labels[team] (changed)
`,
    ],
    [
      'an update of what nobody may change, a permitted change and a misread value beside it',
      SCALED.replace('vision', 'audio')
        .replace('hunter2', 'hunter3')
        .replace('mnist:v1', 'mnist:v2')
        .replace('None', 'Nonesuch'),
      [],
      1,
      `Denied: ${refusalOf(MNIST)}

  permitted  metadata.labels[team] (changed)
  permitted  spec.runPolicy.cleanPodPolicy (changed)
  refused    spec.tfReplicaSpecs[Worker].replicas (1 → 4)
  refused    spec.tfReplicaSpecs[Worker].template.spec.containers[0].env[0].value (changed)
  refused    spec.tfReplicaSpecs[Worker].template.spec.containers[0].image (mnist:v1 → mnist:v2)

${MAY_CHANGE}
Warning: spec.runPolicy.cleanPodPolicy ${MISREAD.cleanPodPolicy}
`,
    ],
    [
      'an update by an exempted writer',
      SUSPENDED,
      ['--policy', 'policy.yaml', '--as', KUEUE],
      0,
      `Allowed: tfjobs.kubeflow.org "mnist" in namespace "research" may be updated by this writer

  permitted  spec.runPolicy.suspend (false → true), by the exemption "kueue"
`,
    ],
    [
      'an update by a writer whose preset is off',
      SUSPENDED,
      ['--as', KUEUE],
      1,
      `Denied: ${refusalOf(MNIST)}

  refused    spec.runPolicy.suspend (false → true)

${mayChange(WAY_OUT)}Hint: ${HINTS.kueue}.
`,
    ],
  ])('%s', async (_what, next, args, code, stdout) => {
    expect(await check(next, args)).toEqual({ code, stdout, problems: [] });
  });

  test.each([
    ['sandbox', 'Mode "warn" applies here: the webhook allows this update, with warnings.\n'],
    ['archive', 'Mode "audit" applies here: the webhook allows this update and records it.\n'],
  ])('in namespace %s a denial is a denial, and its mode is told', async (namespace, note) => {
    const [before, after] = [OLD, SCALED].map((text) => text.replace('research', namespace));
    const files = { 'old.yaml': before ?? '' };
    expect(await check(after ?? '', ['--policy', 'policy.yaml'], { files })).toEqual({
      code: 1,
      stdout: `Denied: ${refusalOf(`tfjobs.kubeflow.org "mnist" in namespace "${namespace}"`)}

  refused    spec.tfReplicaSpecs[Worker].replicas (1 → 4)

${mayChange(wayOutIn(namespace))}
${note}`,
      problems: [],
    });
  });

  test('a denial ends with the contact of the policy', async () => {
    const files = { 'policy.yaml': `${HEAD}mode: warn\ncontact: "ask in #ml-platform"\n` };
    expect(await check(SCALED, ['--policy', 'policy.yaml'], { files })).toEqual({
      code: 1,
      stdout: `Denied: ${refusalOf(MNIST)}

  refused    spec.tfReplicaSpecs[Worker].replicas (1 → 4)

${MAY_CHANGE}
Mode "warn" applies here: the webhook allows this update, with warnings.

Ask in #ml-platform.
`,
      problems: [],
    });
  });

  test('a policy that lets nothing change says so', async () => {
    const files = { 'policy.yaml': `${HEAD}allow: []\n` };
    expect(await check(RELABELLED, ['--policy', 'policy.yaml'], { files })).toEqual({
      code: 1,
      stdout: `Denied: ${refusalOf(MNIST)}

  refused    metadata.labels[team] (changed)

Nothing may change.
${wayOutIn('research')}
`,
      problems: [],
    });
  });

  test('a kind that the policy does not guard', async () => {
    const files = { 'old.yaml': OLD.replace('TFJob', 'MPIJob') };
    expect(await check(SCALED.replace('TFJob', 'MPIJob'), [], { files })).toEqual({
      code: 0,
      stdout: 'Allowed: the policy does not guard mpijobs.kubeflow.org\n',
      problems: [],
    });
  });

  test('colours stand where they are wanted', async () => {
    const { stdout } = await check(SCALED.replace('vision', 'audio'), [], { hasColour: true });
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      `\u001b[31mDenied:\u001b[39m ${refusalOf(MNIST)}`,
      '',
      '  \u001b[32mpermitted\u001b[39m  metadata.labels[team] (changed)',
      '  \u001b[31mrefused  \u001b[39m  spec.tfReplicaSpecs[Worker].replicas (1 → 4)',
    ]);
  });

  test('control characters of the object reach no terminal', async () => {
    const next = OLD.replace('team: vision', String.raw`team: vision, "\e[31m\u202Ered": x`).replace(
      'mnist:v1',
      String.raw`\e[2J:v2`,
    );
    const { stdout } = await check(next);
    expect(stdout).toContain(String.raw`metadata.labels["\u{1b}[31m\u{202e}red"] (added)`);
    expect(stdout).toContain(String.raw`image (mnist:v1 → \u{1b}[2J:v2)`);
  });
});

describe('an exemption that expires', () => {
  const EXPIRING = `${HEAD}exemptions:
  - {name: drain, usernames: [jane], paths: [/spec/runPolicy/suspend], expires: 2026-01-31}
`;
  const judgedAt = (args: readonly string[]): Promise<unknown> =>
    judged(SUSPENDED, ['--policy', 'policy.yaml', '--as', 'jane', ...args], { files: { 'policy.yaml': EXPIRING } });

  test.each([
    { at: 'before', args: ['--at', '2026-01-30T23:59:59Z'], decision: 'exempt', exemption: 'drain' },
    { at: 'on the day before', args: ['--at', '2026-01-30'], decision: 'exempt', exemption: 'drain' },
    { at: 'from the day', args: ['--at', '2026-01-31'], decision: 'deny', exemption: null },
    { at: 'in another time zone', args: ['--at', '2026-01-31T01:00:00+02:00'], decision: 'exempt', exemption: 'drain' },
    { at: 'now, later', args: [], decision: 'deny', exemption: null },
  ])('$at: $decision', async ({ args, decision, exemption }) => {
    expect(await judgedAt(args)).toMatchObject({ decision, exemption });
  });

  test.each(['tomorrow', '2026-02-30', '2026-01-31T25:00:00Z', '2026-01-31T10:00:00'])(
    'is not judged at %s',
    async (at) => {
      expect(await check(OLD, ['--at', at])).toEqual({
        code: 2,
        stdout: '',
        problems: [`--at: "${at}" is not a day such as 2027-01-31 or a moment such as 2027-01-31T18:00:00Z`],
      });
    },
  );
});

describe('what programs read', () => {
  test('a denial', async () => {
    expect(await judged(SCALED.replace('vision', 'audio').replace('None', 'Nonesuch'))).toEqual({
      allowed: false,
      decision: 'deny',
      mode: 'enforce',
      exemption: null,
      changes: [
        { path: '/metadata/labels/team', field: 'metadata.labels[team]', op: 'replace', permitted: true },
        {
          path: '/spec/runPolicy/cleanPodPolicy',
          field: 'spec.runPolicy.cleanPodPolicy',
          op: 'replace',
          permitted: true,
        },
        {
          path: '/spec/tfReplicaSpecs/Worker/replicas',
          field: 'spec.tfReplicaSpecs[Worker].replicas',
          op: 'replace',
          permitted: false,
          oldValue: 1,
          newValue: 4,
        },
      ],
      message: denialOf('tfjobs.kubeflow.org "mnist"', ['spec.tfReplicaSpecs[Worker].replicas (1 → 4)']),
      hint: null,
      warnings: [`spec.runPolicy.cleanPodPolicy ${MISREAD.cleanPodPolicy}`],
    });
  });

  test('an update of nothing', async () => {
    expect(await judged(OLD)).toEqual({
      allowed: true,
      decision: 'allow',
      mode: 'enforce',
      exemption: null,
      changes: [],
      message: null,
      hint: null,
      warnings: [],
    });
  });

  test('an exempted update', async () => {
    const args = ['--policy', 'policy.yaml', '--as', KUEUE, '--as-group', 'staff', '--as-group', 'platform:admins'];
    expect(await judged(SUSPENDED.replace('replicas: 1', 'replicas: 4'), args)).toEqual({
      allowed: true,
      decision: 'exempt',
      mode: 'enforce',
      exemption: 'kueue,admins',
      changes: [
        {
          path: '/spec/runPolicy/suspend',
          field: 'spec.runPolicy.suspend',
          op: 'add',
          permitted: true,
          oldValue: false,
          newValue: true,
        },
        {
          path: '/spec/tfReplicaSpecs/Worker/replicas',
          field: 'spec.tfReplicaSpecs[Worker].replicas',
          op: 'replace',
          permitted: true,
          oldValue: 1,
          newValue: 4,
        },
      ],
      message: null,
      hint: null,
      warnings: [],
    });
  });

  test('a denial in mode warn: the mode is told, and its warnings are the message already', async () => {
    const [before, after] = [OLD, SCALED].map((text) => text.replace('research', 'sandbox'));
    const files = { 'old.yaml': before ?? '' };
    expect(await judged(after ?? '', ['--policy', 'policy.yaml'], { files })).toMatchObject({
      allowed: false,
      decision: 'deny',
      mode: 'warn',
      warnings: [],
    });
  });

  test('no value that could be a secret is shown', async () => {
    const next = OLD.replace('hunter2', 'hunter3').replace('vision', 'secret-label').replace('None', 'secret-policy');
    const outputs = [await check(next), await check(next, ['-o', 'json'])];
    for (const { stdout } of outputs) expect(stdout).not.toMatch(/hunter|vision|secret/);
  });
});

describe('who writes', () => {
  test.each([
    ['nobody in particular', [], 'deny'],
    ['a user', ['--as', 'alice'], 'deny'],
    ['a group that is exempted', ['--as', 'alice', '--as-group', 'platform:admins'], 'deny'],
    ['an exempted user', ['--as', KUEUE], 'exempt'],
  ])('%s suspends a job', async (_who, args, decision) => {
    expect(await judged(SUSPENDED, ['--policy', 'policy.yaml', ...args])).toMatchObject({ decision });
  });

  test.each([
    ['nobody in particular', [], 'exempt'],
    ['somebody anonymous', ['--as', 'system:anonymous'], 'deny'],
  ])('%s is judged as kubectl --as has it: with system:authenticated or without', async (_who, args, decision) => {
    const [before, after] = [OLD, SUSPENDED].map((text) => text.replace('research', 'open'));
    const files = { 'old.yaml': before ?? '' };
    expect(await judged(after ?? '', ['--policy', 'policy.yaml', ...args], { files })).toMatchObject({ decision });
  });

  test.each([
    ['has the groups of its namespace', ['--as', 'system:serviceaccount:ops:deployer'], 'exempt'],
    ['of another namespace has others', ['--as', 'system:serviceaccount:dev:deployer'], 'deny'],
    ['with a group has that one alone', ['--as', 'system:serviceaccount:ops:deployer', '--as-group', 'a'], 'deny'],
  ])('a service account %s', async (_what, args, decision) => {
    const exemption = '{name: ops, groups: ["system:serviceaccounts:ops"], paths: [/spec/runPolicy/suspend]}';
    const files = { 'policy.yaml': `${HEAD}exemptions: [${exemption}]\n` };
    expect(await judged(SUSPENDED, ['--policy', 'policy.yaml', ...args], { files })).toMatchObject({ decision });
  });
});

describe('what an API server would fill in', () => {
  const STORED = `${OLD}status: {startTime: "2024-05-01T08:00:00Z"}\n`;

  test.each([
    ['the status that a manifest leaves out is kept', OLD, 'allow'],
    ['a status that says something else is not written', `${OLD}status: {startTime: null, x: 1}\n`, 'allow'],
    ['the namespace that a manifest leaves out is that of the job', OLD.replace(' namespace: research,', ''), 'allow'],
  ])('%s', async (_what, next, decision) => {
    expect(await judged(next, [], { files: { 'old.yaml': STORED } })).toMatchObject({ decision });
  });

  test('the namespace is that of the flag where no file names one', async () => {
    const [before, after] = [OLD, SCALED].map((text) => text.replace(' namespace: research,', ''));
    const around = { files: { 'old.yaml': before ?? '' } };
    const args = ['--policy', 'policy.yaml', '--namespace', 'sandbox'];
    expect(await judged(after ?? '', args, around)).toMatchObject({ mode: 'warn' });
    expect((await check(after ?? '', [], around)).stdout).toContain('in namespace "default"');
  });
});

describe('a scale', () => {
  const SCALE = `apiVersion: autoscaling/v1
kind: Scale
metadata: {name: bert, namespace: research}
spec: {replicas: 2}
`;
  const files = { 'old.yaml': SCALE };
  const ARGS = ['--subresource', 'scale', '--resource', 'pytorchjobs.kubeflow.org'];

  test('that changes the replicas is the change of the job', async () => {
    expect(await check(SCALE.replace('2', '3'), ARGS, { files })).toEqual({
      code: 1,
      stdout: `Denied: ${refusalOf('pytorchjobs.kubeflow.org/scale "bert" in namespace "research"')}

  refused    spec.pytorchReplicaSpecs[Worker].replicas (2 → 3)

${mayChange(wayOutIn('research', 'pytorchjob/bert'))}`,
      problems: [],
    });
  });

  test('of a resource named without its group is of the one that is guarded', async () => {
    const args = ['--subresource', 'scale', '--resource', 'pytorchjobs'];
    expect(await check(SCALE.replace('2', '3'), args, { files })).toEqual(
      await check(SCALE.replace('2', '3'), ARGS, { files }),
    );
  });

  test('of a name that two guarded groups have needs the group', async () => {
    const resources = '[{group: batch, resource: jobs}, {group: example.com, resource: jobs, podTemplates: null}]';
    const around = { files: { ...files, 'policy.yaml': `${HEAD}resources: ${resources}\n` } };
    const args = ['--subresource', 'scale', '--resource', 'jobs', '--policy', 'policy.yaml'];
    expect(await check(SCALE, args, around)).toEqual({
      code: 2,
      stdout: '',
      problems: ['--resource: "jobs" is ambiguous: one of jobs.batch, jobs.example.com'],
    });
  });

  test('that changes nothing is allowed', async () => {
    expect(await judged(SCALE, ARGS, { files })).toMatchObject({ allowed: true, decision: 'allow' });
  });

  test('of a resource whose policy has no path for it cannot be judged', async () => {
    const args = ['--subresource', 'scale', '--resource', 'tfjobs.kubeflow.org'];
    expect(await check(SCALE, args, { files })).toEqual({
      code: 2,
      stdout: `Cannot be judged: ${UNJUDGEABLE.noScalePath}\n`,
      problems: [],
    });
  });

  test.each([
    [
      'without --subresource',
      SCALE,
      [],
      'old.yaml: contains a Scale; add --subresource scale and --resource, one of tfjobs.kubeflow.org, pytorchjobs.kubeflow.org',
    ],
    [
      'without --resource',
      SCALE,
      ['--subresource', 'scale'],
      '--resource: required for a Scale: one of tfjobs.kubeflow.org, pytorchjobs.kubeflow.org',
    ],
    [
      'of a resource that is not guarded',
      SCALE,
      ['--subresource', 'scale', '--resource', 'mpijobs.kubeflow.org'],
      '--resource: the policy does not guard "mpijobs.kubeflow.org", only tfjobs.kubeflow.org, pytorchjobs.kubeflow.org',
    ],
    ['that is a job', OLD, ARGS, '--subresource: expects an autoscaling/v1 Scale, but old.yaml contains a TFJob'],
  ])('%s is asked about', async (_what, text, args, problem) => {
    expect(await check(text, args, { files: { 'old.yaml': text } })).toEqual({
      code: 2,
      stdout: '',
      problems: [problem],
    });
  });
});

describe('a whole AdmissionReview', () => {
  const metadata = { name: 'mnist', namespace: 'research' };
  const oldObject = { metadata, spec: { runPolicy: { suspend: false } } };
  const object = { metadata, spec: { runPolicy: { suspend: true } } };

  async function checkReview(text: string, args: readonly string[] = [], stdin = ''): Promise<Outcome> {
    return runCommand(checkCommand, ['--review', 'review.json', ...args], { files: { 'review.json': text }, stdin });
  }

  test.each([
    ['by anybody', { oldObject, object }, 1, 'deny'],
    ['of nothing', { oldObject, object: oldObject }, 0, 'allow'],
    ['that creates', { operation: 'CREATE', object }, 0, 'out_of_scope'],
    ['of a status', { subResource: 'status', oldObject, object }, 0, 'out_of_scope'],
    ['of a pod', { group: '', resource: 'pods', oldObject, object }, 0, 'out_of_scope'],
    ['without an old object', { object }, 2, 'unjudgeable'],
  ])('%s', async (_what, review, code, decision) => {
    const outcome = await checkReview(reviewText(review), ['-o', 'json']);
    expect([outcome.code, JSON.parse(outcome.stdout)]).toEqual([code, expect.objectContaining({ decision })]);
  });

  test.each([
    [
      'that creates',
      { operation: 'CREATE', object },
      'Allowed: only UPDATE requests are judged; this one is CREATE\n',
      'only UPDATE requests are judged; this one is CREATE',
    ],
    [
      'of a status',
      { subResource: 'status', oldObject, object },
      'Allowed: /status is not guarded\n',
      '/status is not guarded',
    ],
    [
      'of a pod',
      { group: '', resource: 'pods', oldObject, object },
      'Allowed: the policy does not guard pods\n',
      'the policy does not guard pods',
    ],
    [
      'without an old object',
      { object },
      `Cannot be judged: ${UNJUDGEABLE.noObjects}\n`,
      `${refusalOf('tfjobs.kubeflow.org "mnist"')}: ${UNJUDGEABLE.noObjects}`,
    ],
  ])('%s says why', async (_what, review, stdout, message) => {
    expect((await checkReview(reviewText(review))).stdout).toBe(stdout);
    const json = await checkReview(reviewText(review), ['-o', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ message });
  });

  test('says itself who writes', async () => {
    const files = { 'review.json': reviewText({ oldObject, object, username: KUEUE }), 'policy.yaml': POLICY };
    const args = ['--review', 'review.json', '--policy', 'policy.yaml'];
    expect(await runCommand(checkCommand, args, { files })).toMatchObject({ code: 0 });
  });

  test('is read from stdin', async () => {
    const stdin = reviewText({ oldObject, object });
    expect(await runCommand(checkCommand, ['--review', '-'], { stdin })).toMatchObject({ code: 1 });
  });

  test.each([
    ['that is not JSON', 'apiVersion: v1', 'review.json: the request body is not JSON'],
    [
      'that is another object',
      '{"apiVersion": "v1"}',
      "review.json: not an admission.k8s.io/v1 AdmissionReview: must have required property 'kind'",
    ],
  ])('%s is refused', async (_what, text, problem) => {
    expect(await checkReview(text)).toEqual({ code: 2, stdout: '', problems: [problem] });
  });

  test('what it says is not said again', async () => {
    const args = [
      'old.yaml',
      '--as',
      'a',
      '--as-group',
      'b',
      '--namespace',
      'c',
      '--subresource',
      'scale',
      '--resource',
      'd',
    ];
    expect(await checkReview('{}', args)).toEqual({
      code: 2,
      stdout: '',
      problems: ['OLD', '--as', '--as-group', '--namespace', '--subresource', '--resource'].map(
        (name) => `${name}: not allowed with --review`,
      ),
    });
  });
});

describe('what cannot be an update is named, exit code 2', () => {
  test.each([
    ['another name', OLD.replace('mnist', 'bert'), ['new.yaml: metadata.name is "bert", but "mnist" in old.yaml']],
    [
      'another kind in another version and namespace',
      OLD.replace('TFJob', 'PyTorchJob').replace('v1', 'v1beta2').replace('research', 'other'),
      [
        'new.yaml: apiVersion is "kubeflow.org/v1beta2", but "kubeflow.org/v1" in old.yaml',
        'new.yaml: kind is "PyTorchJob", but "TFJob" in old.yaml',
        'new.yaml: metadata.namespace is "other", but "research" in old.yaml',
      ],
    ],
    [
      'no name at all',
      'spec: {}\n',
      ['new.yaml: has no apiVersion', 'new.yaml: has no kind', 'new.yaml: has no metadata.name'],
    ],
  ])('%s', async (_what, next, problems) => {
    expect(await check(next)).toEqual({ code: 2, stdout: '', problems });
  });

  test('a namespace that is not that of the files', async () => {
    expect(await check(OLD, ['--namespace', 'other'])).toEqual({
      code: 2,
      stdout: '',
      problems: ['--namespace: is "other", but "research" in the files'],
    });
  });

  test.each([
    [
      'no file',
      [],
      [
        'OLD and NEW, OLD and --patch, --git BASE, --live NEW, or --review FILE, are required; jobguard check --help has examples',
      ],
    ],
    [
      'one file',
      ['old.yaml'],
      [
        'OLD and NEW, OLD and --patch, --git BASE, --live NEW, or --review FILE, are required; jobguard check --help has examples',
      ],
    ],
    ['three files', ['old.yaml', 'old.yaml', 'three'], ['OLD and NEW are two paths; "three" is more']],
    ['stdin twice', ['-', '-'], ['OLD and NEW cannot both be stdin']],
    ['a file that is not there', ['/nowhere/a', 'old.yaml'], ['/nowhere/a: does not exist']],
    ['a file that holds bytes', ['old.yaml', 'binary'], ['binary: is a binary file, not text']],
    ['a file that is not UTF-8', ['old.yaml', 'bytes'], ['bytes: is not UTF-8 text']],
    ['a stdin that holds nothing', ['old.yaml', '-'], ['stdin: contains no Kubernetes object']],
    ['a wrong policy', ['old.yaml', 'old.yaml', '--policy', 'bytes'], ['bytes: is not UTF-8 text']],
  ])('%s', async (_what, args, problems) => {
    const files = { 'old.yaml': OLD, bytes: new Uint8Array([0xc3, 0x28]), binary: new Uint8Array([0x41, 0]) };
    expect(await runCommand(checkCommand, args, { files })).toEqual({ code: 2, stdout: '', problems });
  });

  test.each([['--subresource', 'status'], ['-o', 'yaml'], ['--as'], ['--nope']])('%s %s', async (...args) => {
    await expect(check(OLD, args)).rejects.toThrow(CommanderError);
  });
});

test('one of the objects may come from stdin', async () => {
  const files = { 'old.yaml': OLD };
  expect(await runCommand(checkCommand, ['old.yaml', '-'], { files, stdin: SCALED })).toMatchObject({ code: 1 });
  expect(await runCommand(checkCommand, ['-', 'old.yaml'], { files, stdin: RELABELLED })).toMatchObject({ code: 0 });
});
