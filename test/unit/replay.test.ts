import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { replayCommand } from '../../src/commands/replay.ts';
import { runCommand, type Outcome } from '../support/run-command.ts';

const MONDAY = '2026-11-02T08:00:00Z';
const TUESDAY = '2026-11-03T08:00:00Z';
const WEDNESDAY = '2026-11-04T08:00:00Z';

/** A job as the API server answers it. */
function job(resourceVersion: number, { spec = {}, metadata = {} }: { spec?: object; metadata?: object } = {}): object {
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: 'PyTorchJob',
    metadata: { name: 'mnist', namespace: 'team-a', uid: 'u-1', resourceVersion: String(resourceVersion), ...metadata },
    spec: {
      runPolicy: { suspend: true },
      pytorchReplicaSpecs: { Worker: { replicas: 2, template: { spec: { containers: [{ name: 'pytorch' }] } } } },
      ...spec,
    },
  };
}

const CREATED = job(1);
const STARTED = { spec: { runPolicy: { suspend: false } } };
const LABELLED = { metadata: { labels: { team: 'speech' } } };

/** A line of kube-apiserver's audit log. */
function event(fields: Record<string, unknown>): string {
  const { subresource, namespace = 'team-a', ...others } = fields;
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: 'a-1',
    stage: 'ResponseComplete',
    requestURI: '/apis/kubeflow.org/v1/namespaces/team-a/pytorchjobs/mnist',
    verb: 'patch',
    user: { username: 'ann', groups: ['system:authenticated'] },
    userAgent: 'kubectl/v1.36.3 (linux/amd64)',
    objectRef: {
      resource: 'pytorchjobs',
      namespace,
      name: 'mnist',
      apiGroup: 'kubeflow.org',
      apiVersion: 'v1',
      ...(subresource === undefined ? {} : { subresource }),
    },
    responseStatus: { code: 200 },
    stageTimestamp: TUESDAY,
    ...others,
  });
}

const CREATION = event({
  verb: 'create',
  stageTimestamp: MONDAY,
  responseStatus: { code: 201 },
  responseObject: CREATED,
});
const START = event({ auditID: 'a-2', responseObject: job(2, STARTED) });

function replay(lines: readonly string[], ...flags: string[]): Promise<Outcome> {
  return runCommand(replayCommand, ['audit.log', ...flags], { files: { 'audit.log': `${lines.join('\n')}\n` } });
}

/** Of a report, the counts of updates. */
async function counts(lines: readonly string[], ...flags: string[]): Promise<Record<string, number>> {
  const { stdout } = await replay(lines, '-o', 'json', ...flags);
  const { allowed, exempt, denied, unknown, skipped } = JSON.parse(stdout) as Record<string, number>;
  return Object.fromEntries(
    Object.entries({ allowed, exempt, denied, unknown, skipped }).filter(([, count]) => count !== 0),
  ) as Record<string, number>;
}

describe('a report', () => {
  test('says in text who would be refused what', async () => {
    const again = event({ auditID: 'a-3', stageTimestamp: WEDNESDAY, responseObject: job(3, { spec: { x: 1 } }) });
    expect(await replay([CREATION, START, again])).toEqual({
      code: 1,
      problems: [],
      stdout: `2 updates judged from 2026-11-03T08:00:00.000Z to 2026-11-04T08:00:00.000Z:
  0 allowed, 0 allowed by an exemption, 2 refused to 1 writer
  0 not judged, since the logs have no earlier state of the job; 0 skipped, since they failed or were dry runs

ann (kubectl): 2 updates refused
  2 × /spec/runPolicy/suspend
  1 × /spec/x
  in team-a, first 2026-11-03T08:00:00.000Z, last 2026-11-04T08:00:00.000Z
  for example pytorchjobs.kubeflow.org team-a/mnist, audit event a-3
`,
    });
  });

  test('says the same in JSON', async () => {
    const { code, stdout } = await replay([CREATION, START], '-o', 'json');
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      {
        events: 2,
        judged: 1,
        allowed: 0,
        exempt: 0,
        denied: 1,
        unknown: 0,
        skipped: 0,
        from: '2026-11-03T08:00:00.000Z',
        to: '2026-11-03T08:00:00.000Z',
        writers: [
          {
            user: 'ann',
            groups: ['system:authenticated'],
            fieldManager: 'kubectl',
            denied: 1,
            namespaces: ['team-a'],
            paths: [{ path: '/spec/runPolicy/suspend', count: 1 }],
            firstSeen: '2026-11-03T08:00:00.000Z',
            lastSeen: '2026-11-03T08:00:00.000Z',
            example: { namespace: 'team-a', name: 'mnist', resource: 'pytorchjobs.kubeflow.org', auditID: 'a-2' },
          },
        ],
      },
    ]);
  });

  test('is a line for each refused update as NDJSON', async () => {
    const { code, stdout } = await replay(
      [CREATION, START, event({ responseObject: job(3, STARTED) })],
      '-o',
      'ndjson',
    );
    expect([
      code,
      stdout
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ]).toEqual([
      1,
      [
        {
          time: '2026-11-03T08:00:00.000Z',
          user: 'ann',
          fieldManager: 'kubectl',
          resource: 'pytorchjobs.kubeflow.org',
          namespace: 'team-a',
          name: 'mnist',
          auditID: 'a-2',
          paths: ['/spec/runPolicy/suspend'],
        },
      ],
    ]);
  });

  test('of no update says so, and exits with 0', async () => {
    expect(await replay(['{}'])).toEqual({
      code: 0,
      problems: [],
      stdout: `0 updates judged:
  0 allowed, 0 allowed by an exemption, 0 refused to 0 writers
  0 not judged, since the logs have no earlier state of the job; 0 skipped, since they failed or were dry runs
`,
    });
  });

  test('begins with whoever would be refused most', async () => {
    const lines = [CREATION, START];
    for (const version of [3, 4, 5]) {
      const spec = { runPolicy: { suspend: version % 2 === 1 } };
      lines.push(event({ user: { username: 'bob' }, responseObject: job(version, { spec }) }));
    }
    const { writers } = JSON.parse((await replay(lines, '-o', 'json')).stdout) as { writers: { user: string }[] };
    expect(writers.map(({ user }) => user)).toEqual(['bob', 'ann']);
  });

  test('of twelve paths shows ten in text', async () => {
    const spec = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`x${index}`, index]));
    const { stdout } = await replay([CREATION, event({ responseObject: job(2, { spec }) })]);
    expect(stdout).toContain('\n  1 × /spec/x7\n  2 more\n');
  });
});

describe('what is judged', () => {
  test.each<[string, readonly string[], Record<string, number>]>([
    ['a change that everybody may make', [CREATION, event({ responseObject: job(2, LABELLED) })], { allowed: 1 }],
    ['one after the job was read', [event({ verb: 'get', responseObject: CREATED }), START], { denied: 1 }],
    [
      'one after the status was written',
      [event({ subresource: 'status', responseObject: CREATED }), START],
      { denied: 1 },
    ],
    ['one of a job that the logs have not shown before', [START], { unknown: 1 }],
    ['one after that', [START, event({ responseObject: job(3, STARTED) })], { unknown: 1, allowed: 1 }],
    ['one without a response', [CREATION, event({ level: 'Metadata' })], { unknown: 1 }],
    ['a failed one', [CREATION, event({ responseStatus: { code: 409 } })], { skipped: 1 }],
    [
      'a dry run',
      [CREATION, event({ requestURI: '/apis/x?dryRun=All', responseObject: job(2, STARTED) })],
      { skipped: 1 },
    ],
    ['one whose answer is not there yet', [CREATION, event({ stage: 'RequestReceived' })], {}],
    ['the status alone', [CREATION, event({ subresource: 'status', responseObject: job(2, STARTED) })], {}],
    ['a patch that creates', [event({ responseStatus: { code: 201 }, responseObject: CREATED }), START], { denied: 1 }],
    [
      'an older state that comes late',
      [CREATION, START, event({ responseObject: CREATED })],
      { denied: 1, unknown: 1 },
    ],
    [
      'one of a job that was deleted',
      [CREATION, event({ verb: 'delete', responseObject: { kind: 'Status', details: { uid: 'u-1' } } }), START],
      { unknown: 1 },
    ],
    [
      'one of a job that was deleted with all others',
      [CREATION, event({ verb: 'deletecollection', responseObject: { items: [CREATED] } }), START],
      { unknown: 1 },
    ],
    [
      'one of a job whose last finalizer is gone',
      [CREATION, event({ responseObject: job(2, { metadata: { deletionTimestamp: MONDAY } }) }), START],
      { allowed: 1, unknown: 1 },
    ],
    [
      'one of a job that waits for a finalizer',
      [
        CREATION,
        event({
          verb: 'delete',
          responseObject: job(1, { metadata: { deletionTimestamp: MONDAY, finalizers: ['a/b'] } }),
        }),
        event({ responseObject: job(2, { metadata: { deletionTimestamp: MONDAY, finalizers: ['a/b'] }, ...STARTED }) }),
      ],
      { denied: 1 },
    ],
    [
      'a scale',
      [
        CREATION,
        event({
          subresource: 'scale',
          responseObject: { kind: 'Scale', metadata: { uid: 'u-1', resourceVersion: '2' }, spec: { replicas: 4 } },
        }),
      ],
      { denied: 1 },
    ],
    [
      'an update after a scale',
      [
        CREATION,
        event({
          subresource: 'scale',
          responseObject: { kind: 'Scale', metadata: { uid: 'u-1', resourceVersion: '2' }, spec: { replicas: 4 } },
        }),
        event({
          responseObject: job(3, {
            spec: {
              pytorchReplicaSpecs: {
                Worker: { replicas: 4, template: { spec: { containers: [{ name: 'pytorch' }] } } },
              },
            },
          }),
        }),
      ],
      { denied: 1, allowed: 1 },
    ],
    [
      'another resource',
      [event({ objectRef: { resource: 'configmaps', name: 'of "pytorchjobs"' }, responseObject: CREATED })],
      {},
    ],
  ])('%s', async (_title, lines, expected) => {
    expect(await counts(lines)).toEqual(expected);
  });

  test('who impersonates somebody is judged as that one', async () => {
    const line = event({ responseObject: job(2, STARTED), impersonatedUser: { username: 'bob', groups: ['x'] } });
    const { writers } = JSON.parse((await replay([CREATION, line], '-o', 'json')).stdout) as { writers: object[] };
    expect(writers).toMatchObject([{ user: 'bob', groups: ['x'] }]);
  });

  test('an exemption counts as it did then', async () => {
    const policy = `
apiVersion: jobguard/v1
kind: UpdatePolicy
exemptions: [{ name: starters, usernames: [ann], namespaces: ['*'], paths: [/spec/runPolicy/suspend], expires: 2026-11-04 }]`;
    const later = event({ stageTimestamp: WEDNESDAY, responseObject: CREATED, auditID: 'a-4' }).replace('"1"', '"3"');
    const outcome = await runCommand(replayCommand, ['audit.log', '--policy', 'policy.yaml', '-o', 'json'], {
      files: { 'audit.log': [CREATION, START, later].join('\n'), 'policy.yaml': policy },
    });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ exempt: 1, denied: 1 });
  });
});

describe('filters', () => {
  const LINES = [CREATION, START, event({ stageTimestamp: WEDNESDAY, responseObject: CREATED }).replace('"1"', '"3"')];

  test.each<[string, readonly string[], Record<string, number>]>([
    ['--since keeps what is younger', ['--since', '2026-11-04'], { denied: 1 }],
    ['--until keeps what is older', ['--until', '2026-11-04'], { denied: 1 }],
    ['both keep what is between', ['--since', '2026-11-03', '--until', '2026-11-05'], { denied: 2 }],
    ['--namespace keeps its own', ['--namespace', 'team-a'], { denied: 2 }],
    ['--namespace drops others', ['--namespace', 'team-b'], {}],
  ])('%s', async (_title, flags, expected) => {
    expect(await counts(LINES, ...flags)).toEqual(expected);
  });

  test.each(['--since', '--until'])('%s says what it wants', async (flag) => {
    expect((await replay(LINES, flag, 'yesterday')).problems).toEqual([
      `${flag}: "yesterday" is not a day such as 2027-01-31 or a moment such as 2027-01-31T18:00:00Z`,
    ]);
  });
});

describe('files', () => {
  test('in any order are read in the order of time, gzipped or not', async () => {
    const files = { 'a.log': `${START}\n`, 'b.log.gz': gzipSync(`${CREATION}\n`) };
    const { code, stdout } = await runCommand(replayCommand, ['a.log', 'b.log.gz', '-o', 'json'], { files });
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { events: 2, denied: 1, unknown: 0 }]);
  });

  test('may be stdin', async () => {
    const stdin = `${CREATION}\n${START}`;
    expect(await runCommand(replayCommand, ['-', '-o', 'ndjson'], { stdin })).toMatchObject({ code: 1, problems: [] });
  });

  test('may end within a line', async () => {
    const files = { 'audit.log': `${CREATION}\n${START.slice(0, -50)}` };
    expect(await runCommand(replayCommand, ['audit.log'], { files })).toMatchObject({ code: 0, problems: [] });
  });

  test('may be empty', async () => {
    expect(await runCommand(replayCommand, ['audit.log'], { files: { 'audit.log': '' } })).toMatchObject({ code: 0 });
  });

  test.each<[string, Record<string, string | Uint8Array>, string]>([
    [
      'a line that is not JSON',
      { 'audit.log': `{}\n"pytorchjobs\n{}\n` },
      "audit.log:2: is not JSON; audit logs and jobguard's own log have one JSON object a line",
    ],
    ['a missing file', {}, "audit.log: cannot be read: ENOENT: no such file or directory, open 'audit.log'"],
    [
      'an archive that is cut off',
      { 'audit.log': gzipSync(`${CREATION}\n`).subarray(0, 60) },
      'audit.log: cannot be read: unexpected end of file',
    ],
    ['a line of more than 32 MiB', { 'audit.log': ' '.repeat(33 * 1024 * 1024) }, 'audit.log:1: is longer than 32 MiB'],
  ])('%s is refused', async (_title, files, problem) => {
    expect(await runCommand(replayCommand, ['audit.log'], { files })).toMatchObject({ code: 2, problems: [problem] });
  });
});

describe("jobguard's own log", () => {
  const DECISION = {
    level: 'info',
    time: TUESDAY,
    uid: 'r-1',
    user: 'ann',
    resource: 'pytorchjobs.kubeflow.org',
    subresource: '',
    namespace: 'team-a',
    name: 'mnist',
    operation: 'UPDATE',
    decision: 'deny',
    mode: 'audit',
    paths: ['/spec/x'],
    dryRun: false,
    msg: 'update not permitted',
  };

  test.each<[string, object, Record<string, number>]>([
    ['a denial', {}, { denied: 1 }],
    ['what an exemption let through', { decision: 'exempt', paths: [] }, { exempt: 1 }],
    ['what could not be judged', { decision: 'unjudgeable', paths: undefined }, { denied: 1 }],
    ['a dry run', { dryRun: true }, { skipped: 1 }],
    ['another line', { decision: undefined }, {}],
    ['a line without a time', { time: 'now' }, {}],
  ])('%s counts', async (_title, fields, expected) => {
    expect(await counts([JSON.stringify({ ...DECISION, ...fields })])).toEqual(expected);
  });

  test('names the writer and the paths', async () => {
    const { stdout } = await replay([JSON.stringify(DECISION)]);
    expect(stdout).toContain('\nann: 1 update refused\n  1 × /spec/x\n  in team-a, ');
  });
});

describe('--suggest', () => {
  const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';
  const BOT = 'system:serviceaccount:team-a:pruner';
  const by = (username: string, fields: Record<string, unknown>): string =>
    event({ user: { username, groups: ['system:serviceaccounts'] }, ...fields });
  const TOLERATIONS = '/spec/pytorchReplicaSpecs/Worker/template/spec/tolerations';
  const podSpec = { containers: [{ name: 'pytorch' }], tolerations: [{ key: 'a' }] };
  const TOLERANT = { pytorchReplicaSpecs: { Worker: { replicas: 2, template: { spec: podSpec } } } };
  const LINES = [
    CREATION,
    by(KUEUE, { responseObject: job(2, STARTED) }),
    by(BOT, { responseObject: job(3, { spec: { ...STARTED.spec, ...TOLERANT } }) }),
    by(BOT, { userAgent: 'pruner/v1', responseObject: job(4, { spec: { ...STARTED.spec, nprocPerNode: '2' } }) }),
    event({ responseObject: job(5) }),
  ];
  const EXEMPTION = `exemptions:
  - name: team-a-pruner
    usernames:
      - ${BOT}
    namespaces:
      - team-a
    paths:
      - /spec/nprocPerNode
      - ${TOLERATIONS}
`;

  test('turns presets on, exempts other controllers, and lists people', async () => {
    expect(await replay(LINES, '--suggest')).toEqual({
      code: 1,
      problems: [],
      stdout: `# An exemption for ${BOT}, 2 updates
# The preset kueue for ${KUEUE}, 1 update
# Refused to a person, whom nothing here exempts: ann, 1 update
apiVersion: jobguard/v1
kind: UpdatePolicy
presets:
  kueue: true
${EXEMPTION}`,
    });
  });

  test('prints a policy under which only people are refused', async () => {
    const policy = (await replay(LINES, '--suggest')).stdout;
    const { stdout } = await runCommand(replayCommand, ['audit.log', '--policy', 'policy.yaml', '-o', 'json'], {
      files: { 'audit.log': LINES.join('\n'), 'policy.yaml': policy },
    });
    const { exempt, denied, writers } = JSON.parse(stdout) as { exempt: number; denied: number; writers: object[] };
    expect({ exempt, denied, writers }).toMatchObject({ exempt: 3, denied: 1, writers: [{ user: 'ann' }] });
  });

  test('adds to the policy that there is', async () => {
    const policy = `apiVersion: jobguard/v1
kind: UpdatePolicy
mode: audit
presets:
  flyte: true
exemptions:
  - name: team-a-pruner
    usernames: [somebody]
    namespaces: ['*']
    paths: [/spec/elasticPolicy]
`;
    const { stdout } = await runCommand(replayCommand, ['audit.log', '--policy', 'policy.yaml', '--suggest'], {
      files: { 'audit.log': LINES.join('\n'), 'policy.yaml': policy },
    });
    expect(stdout).toContain('mode: audit\npresets:\n  flyte: true\n  kueue: true\n');
    expect(stdout).toContain('  - name: team-a-pruner-2\n');
  });

  test('exempts the writer of a preset from what the preset does not cover', async () => {
    const lines = [CREATION, by(KUEUE, { responseObject: job(2, { spec: { ...STARTED.spec, nprocPerNode: '2' } }) })];
    const { stdout } = await replay(lines, '--suggest');
    expect(stdout).toContain(`# The preset kueue, An exemption for ${KUEUE}, 1 update\n`);
    expect(stdout).toMatch(/kueue: true\nexemptions:\n(?:.*\n){5} {4}paths:\n {6}- \/spec\/nprocPerNode\n$/);
  });

  test('does without a preset that covers nothing of it', async () => {
    const lines = [CREATION, by(KUEUE, { responseObject: job(2, { spec: { runPolicy: { suspend: true }, x: 1 } }) })];
    expect((await replay(lines, '--suggest')).stdout).not.toContain('presets');
  });

  test('allows fields that only a fork of the CRD has', async () => {
    const lines = [CREATION, by(BOT, { responseObject: job(2, { spec: { runPolicy: { suspend: true }, x: 1 } }) })];
    expect((await replay(lines, '--suggest')).stdout).toMatch(/ {6}- \/spec\/x\nallowUnknownPaths: true\n$/);
  });

  test('says which paths it cannot write', async () => {
    const spec = { runPolicy: { suspend: true }, ['k'.repeat(100)]: 1 };
    expect((await replay([CREATION, by(BOT, { responseObject: job(2, { spec }) })], '--suggest')).stdout).toBe(
      `# Nothing for ${BOT}, 1 update; without 1 paths that are too long or odd to be written here
apiVersion: jobguard/v1
kind: UpdatePolicy
`,
    );
  });

  test('of a log without refusals is the policy itself', async () => {
    expect((await replay([CREATION], '--suggest')).stdout).toBe('apiVersion: jobguard/v1\nkind: UpdatePolicy\n');
  });
});

test('numbers of many digits are compared to their last one', async () => {
  const withNumber = (version: number, digits: string): string =>
    event({ responseObject: job(version, { spec: { runPolicy: { suspend: true }, big: 'BIG' } }) }).replace(
      '"BIG"',
      digits,
    );
  const lines = [
    CREATION,
    withNumber(2, '9007199254740993'),
    withNumber(3, '9007199254740993'),
    withNumber(4, '9007199254740992'),
  ];
  expect(await counts(lines)).toEqual({ denied: 2, allowed: 1 });
});

test('docs/rollout.md shows what is printed', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/rollout.md'), 'utf8');
  const kueue = {
    user: { username: 'system:serviceaccount:kueue-system:kueue-controller-manager' },
    userAgent: 'kueue/v0.19.2',
  };
  const lines = [
    CREATION,
    event({ ...kueue, responseObject: job(2, STARTED) }),
    event({ responseObject: job(3, { ...STARTED, ...LABELLED }) }),
    event({ ...kueue, stageTimestamp: WEDNESDAY, responseObject: job(4, LABELLED) }),
    event({ auditID: '4f3a2c', stageTimestamp: WEDNESDAY, responseObject: job(5, { ...STARTED, ...LABELLED }) }),
  ];
  expect(page).toContain(`\`\`\`\n${(await replay(lines)).stdout}\`\`\``);
  expect(page).toContain(`\`\`\`yaml\n${(await replay(lines, '--suggest')).stdout}\`\`\``);
});
