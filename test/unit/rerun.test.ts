import { describe, expect, test } from '@jest/globals';

import { rerunCommand } from '../../src/commands/rerun.ts';
import { runCommand, type Outcome } from '../support/run-command.ts';

const MANIFEST = `# The nightly training.
apiVersion: kubeflow.org/v1
kind: TFJob
metadata:
  name: mnist
  namespace: research
  labels: { team: vision } # ask in #vision
spec:
  tfReplicaSpecs:
    Worker:
      replicas: 2 # as many as there are GPUs
      template:
        spec:
          containers:
            - name: tensorflow
              image: train:v1
              env:
                - { name: DEBUG, value: 'yes' }
                - name: SEED
                  value: "0123"
`;

/** The same job as the API server has it, placed by Kueue. */
const STORED = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'TFJob',
  metadata: {
    name: 'mnist',
    namespace: 'research',
    uid: 'u-1',
    resourceVersion: '7',
    generation: 2,
    creationTimestamp: '2026-11-01T00:00:00Z',
    finalizers: ['example.com/cleanup'],
    managedFields: [{ manager: 'kubectl' }],
    ownerReferences: [{ kind: 'Team', name: 'vision' }],
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
        apiVersion: 'kubeflow.org/v1',
        kind: 'TFJob',
        metadata: { name: 'mnist', namespace: 'research', annotations: {} },
        spec: { tfReplicaSpecs: { Worker: { replicas: 2, template: { spec: { containers: [] } } } } },
      }),
    },
  },
  spec: {
    runPolicy: { suspend: false },
    tfReplicaSpecs: { Worker: { replicas: 2, template: { spec: { nodeSelector: { gpu: 'a100' }, containers: [] } } } },
  },
  status: { conditions: [] },
};

/** What each new job has that is made of the stored one. */
const NEW_JOB = `apiVersion: "kubeflow.org/v1"
kind: "TFJob"
metadata:
  name: mnist-2
  namespace: "research"
  annotations:
    jobguard.dev/rerun-of: mnist
`;

function rerun(files: Readonly<Record<string, string | object>>, ...args: string[]): Promise<Outcome> {
  const texts = Object.entries(files).map(([name, file]) => [
    name,
    typeof file === 'string' ? file : JSON.stringify(file),
  ]);
  return runCommand(rerunCommand, args, { files: Object.fromEntries(texts) as Record<string, string> });
}

describe('the manifest of the new job', () => {
  test('is the file of the user, comments and spelling included, with another name', async () => {
    const next = MANIFEST.replace('replicas: 2', 'replicas: 4');
    expect(await rerun({ 'old.yaml': STORED, 'new.yaml': next }, 'old.yaml', 'new.yaml')).toEqual({
      code: 0,
      problems: [],
      stdout: next
        .replace('name: mnist', 'name: mnist-2')
        .replace('# ask in #vision\n', '# ask in #vision\n  annotations:\n    jobguard.dev/rerun-of: mnist\n'),
    });
  });

  test('is what somebody applied, with the patch, and without what the server and controllers put in', async () => {
    const patch = '{"spec": {"tfReplicaSpecs": {"Worker": {"replicas": 4}}}}';
    expect(await rerun({ 'old.json': STORED }, 'old.json', '--patch', patch)).toEqual({
      code: 0,
      problems: [],
      stdout: `${NEW_JOB}spec:
  tfReplicaSpecs:
    Worker:
      template:
        spec:
          containers: []
      replicas: 4
`,
    });
  });

  test('is the old job with the patch where nobody has applied it', async () => {
    const metadata = { ...STORED.metadata, annotations: undefined };
    const patch = '[{"op": "remove", "path": "/spec/runPolicy"}]';
    const { stdout } = await rerun(
      { 'old.json': { ...STORED, metadata } },
      'old.json',
      '--type',
      'json',
      '--patch',
      patch,
    );
    expect(stdout).toBe(`${NEW_JOB}spec:
  tfReplicaSpecs:
    Worker:
      replicas: 2
      template:
        spec:
          nodeSelector:
            gpu: "a100"
          containers: []
`);
  });

  test('has every digit of its numbers', async () => {
    const next = MANIFEST.replace('replicas: 2', 'replicas: 9007199254740993');
    expect((await rerun({ 'old.yaml': MANIFEST, 'new.yaml': next }, 'old.yaml', 'new.yaml')).stdout).toContain(
      'replicas: 9007199254740993 # as many',
    );
    const patch = '{"spec": {"x": 9007199254740993, "y": "1e400", "z": 1e400}}';
    expect((await rerun({ 'old.yaml': MANIFEST }, 'old.yaml', '--patch', patch)).stdout).toContain(
      '  x: 9007199254740993\n  "y": "1e400"\n  z: 1e400\n',
    );
  });

  test.each<[string, string, string]>([
    ['a trailing ---', `${MANIFEST}---\n`, '# as many as there are GPUs'],
    [
      'a List',
      `apiVersion: v1\nkind: List\nitems:\n${MANIFEST.replace(/^/gm, '  ').replace('  apiVersion', '- apiVersion').replace('  # The', '# The')}`,
      'replicas: 2\n',
    ],
    [
      'an alias',
      MANIFEST.replace('labels: {', 'labels: &l {').replace('spec:\n', 'spec:\n  x: *l\n'),
      'x:\n    team: "vision"\n',
    ],
    [
      'annotations without any',
      MANIFEST.replace('  labels', '  annotations:\n  labels'),
      '# as many as there are GPUs',
    ],
    ['JSON', JSON.stringify(STORED), 'kind: "TFJob"\n'],
  ])('may have %s', async (_title, next, expected) => {
    const { stdout, problems } = await rerun({ 'old.yaml': MANIFEST, 'new.yaml': next }, 'old.yaml', 'new.yaml');
    expect(problems).toEqual([]);
    expect(stdout).toContain('name: mnist-2\n');
    expect(stdout).toContain('jobguard.dev/rerun-of: mnist\n');
    expect(stdout).toContain(expected);
  });

  test('may come from stdin', async () => {
    const files = { 'old.yaml': MANIFEST };
    const { stdout } = await runCommand(rerunCommand, ['old.yaml', '-'], { files, stdin: MANIFEST });
    expect(stdout).toContain('name: mnist-2\n');
  });

  test('leaves its name to the API server where it is generated', async () => {
    const next = MANIFEST.replace('  name: mnist\n', '  generateName: mnist-\n  name: mnist\n');
    const { stdout } = await rerun({ 'old.yaml': MANIFEST, 'new.yaml': next }, 'old.yaml', 'new.yaml');
    expect(stdout).toContain('metadata:\n  generateName: mnist-\n  namespace: research\n');
  });
});

describe('the name', () => {
  const named = (name: string): string => MANIFEST.replace('name: mnist', `name: ${name}`);
  const nameIn = ({ stdout, problems }: Outcome): string =>
    problems[0] ?? /^ {2}name: (.*)$/m.exec(stdout)?.[1] ?? 'none';

  test.each<[string, string, readonly string[], string]>([
    ['has the number 2', 'mnist', [], 'mnist-2'],
    ['has the next number', 'mnist-2', [], 'mnist-3'],
    ['carries', 'mnist-9', [], 'mnist-10'],
    ['may be given', 'mnist', ['--name', 'mnist-large'], 'mnist-large'],
    ['is quoted where YAML would take it for something else', 'mnist', ['--name', 'yes'], '"yes"'],
    ['leaves room for those of the pods', 'a'.repeat(54), [], `${'a'.repeat(52)}-2`],
    ['does not end the shortened part with a dash', `${'a'.repeat(51)}-${'b'.repeat(10)}`, [], `${'a'.repeat(51)}-2`],
  ])('%s', async (_title, old, flags, expected) => {
    const files = { 'old.yaml': named(old), 'new.yaml': named(old) };
    expect(nameIn(await rerun(files, 'old.yaml', 'new.yaml', ...flags))).toBe(expected);
  });

  test('is that of NEW where it has another one', async () => {
    const files = { 'old.yaml': MANIFEST, 'new.yaml': named('cifar') };
    expect(nameIn(await rerun(files, 'old.yaml', 'new.yaml'))).toBe('cifar');
  });

  test('leaves more room for kinds that put more behind it', async () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'b'.repeat(50) } };
    const files = { 'old.json': job, 'new.json': job };
    expect(nameIn(await rerun(files, 'old.json', 'new.json'))).toBe(`${'b'.repeat(41)}-2`);
  });

  test.each([
    [
      'Mnist',
      '"Mnist" is no name for a job: it has to begin with a letter and consist of small letters, digits and dashes',
    ],
    ['m'.repeat(55), `"${'m'.repeat(55)}" is too long: the names of its pods leave 54 characters; --name sets another`],
  ])('%s is refused', async (name, problem) => {
    const files = { 'old.yaml': MANIFEST, 'new.yaml': MANIFEST };
    expect((await rerun(files, 'old.yaml', 'new.yaml', '--name', name)).problems).toEqual([problem]);
  });
});

describe('refused are', () => {
  const owned = {
    ...STORED,
    metadata: { ...STORED.metadata, ownerReferences: [{ kind: 'Trial', name: 'tune-7', controller: true }] },
  };

  test.each<[string, Readonly<Record<string, string | object>>, readonly string[], string]>([
    [
      'a job that a controller made',
      { 'old.json': owned },
      ['old.json', '--patch', '{}'],
      'old.json: "mnist" belongs to the Trial "tune-7", which would not know of a new job; change that instead',
    ],
    [
      'another kind',
      { 'old.json': STORED, 'new.yaml': MANIFEST.replace('TFJob', 'PyTorchJob') },
      ['old.json', 'new.yaml'],
      'new.yaml: is a PyTorchJob, but old.json is a TFJob',
    ],
    ['OLD alone', { 'old.json': STORED }, ['old.json'], 'NEW or --patch is required'],
    [
      'NEW and a patch',
      { 'old.json': STORED, 'new.yaml': MANIFEST },
      ['old.json', 'new.yaml', '--patch', '{}'],
      'NEW: not allowed with --patch',
    ],
    ['stdin twice', {}, ['-', '-'], 'OLD and NEW cannot both be stdin'],
    [
      'several jobs',
      { 'old.yaml': `${MANIFEST}---\n${MANIFEST}` },
      ['old.yaml', '--patch', '{}'],
      'old.yaml: contains 2 objects; rerun takes one job',
    ],
  ])('%s', async (_title, files, args, problem) => {
    expect(await rerun(files, ...args)).toEqual({ code: 2, stdout: '', problems: [problem] });
  });
});
