import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run, type Finished } from '../../tools/child-process.ts';
import { eventually } from '../../tools/eventually.ts';
import { freePort } from '../../tools/free-port.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';
import { at } from '../../tools/json-at.ts';
import { denialOf, wayOutIn } from '../support/denial-wording.ts';
import { startGuardedCluster, type GuardedCluster } from './guarded-cluster.ts';
import { collection, jobNamed, TF_JOB, workers } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

/** The built program is asked about jobs of a real API server, by users who may do more or less there. */

const MNIST = 'tfjobs.kubeflow.org "mnist"';
const REPLICAS = 'spec.tfReplicaSpecs[Worker].replicas';

const job = (name: string, metadata: object = {}, spec: object = {}): string =>
  JSON.stringify(jobNamed(name, TF_JOB, { metadata: { namespace: 'team', labels: { a: 'b' }, ...metadata }, spec }));

/** The manifest that is applied, and what becomes of it. */
const APPLIED = job('mnist', {}, { runPolicy: { backoffLimit: 3, cleanPodPolicy: 'None' } });
const SCALED = APPLIED.replaceAll('"replicas":2', '"replicas":4').replace('"a":"b"', '"a":"c"');

const FILES = {
  'applied.json': APPLIED,
  'scaled.json': SCALED,
  'relabelled.json': APPLIED.replace('"a":"b"', '"a":"c"'),
  'without-backoff.json': job('mnist', {}, { runPolicy: { cleanPodPolicy: 'None' } }),
  'new.json': job('new'),
  'config-map.json': JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }),
  'other-version.json': APPLIED.replace('kubeflow.org/v1', 'kubeflow.org/v2'),
  'wrong.json': APPLIED.replace('"cleanPodPolicy":"None"', '"cleanPodPolicy":5'),
  'strict.yaml': 'apiVersion: jobguard/v1\nkind: UpdatePolicy\nallow: [/metadata/annotations]\n',
  'lax.yaml':
    'apiVersion: jobguard/v1\nkind: UpdatePolicy\nallow: [/metadata/labels, /spec/tfReplicaSpecs/*/replicas]\n',
  'reader-only.yaml': `apiVersion: jobguard/v1
kind: UpdatePolicy
exemptions: [{name: writers, usernames: ['system:serviceaccount:team:writer'], paths: [/spec/tfReplicaSpecs/*/replicas]}]
`,
};

describeWithControlPlane('with --live', () => {
  let cluster: GuardedCluster;
  let folder: string;

  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await cluster.request('POST', path, { body });
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.text}`);
    return answer.json;
  };

  /** Makes a service account that may do some things with TFJobs in the namespace, and returns a token for it. */
  async function account(name: string, verbs: readonly string[]): Promise<string> {
    await post('/api/v1/namespaces/team/serviceaccounts', { metadata: { name } });
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/team';
    if (verbs.length > 0) {
      const rules = [{ apiGroups: ['kubeflow.org'], resources: ['tfjobs'], verbs }];
      await post(`${rbac}/roles`, { metadata: { name }, rules });
      await post(`${rbac}/rolebindings`, {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace: 'team' }],
      });
    }
    const review = await post(`/api/v1/namespaces/team/serviceaccounts/${name}/token`, { spec: {} });
    return String(at(review, 'status', 'token'));
  }

  /** Writes a kubeconfig with a context for each user. */
  async function writeUsers(users: Readonly<Record<string, unknown>>): Promise<void> {
    const { server, caPem } = cluster.administrator;
    const clusters = [
      {
        name: 'here',
        cluster: { server, 'certificate-authority-data': Buffer.from(caPem).toString('base64') },
      },
      { name: 'nowhere', cluster: { server: `https://127.0.0.1:${await freePort()}` } },
    ];
    const names = Object.keys(users);
    const contexts = names.map((user) => ({ name: user, context: { cluster: 'here', namespace: 'team', user } }));
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'administrator',
      clusters,
      contexts: [...contexts, { name: 'nowhere', context: { cluster: 'nowhere', user: 'administrator' } }],
      users: Object.entries(users).map(([name, user]) => ({ name, user })),
    };
    await writeFile(join(folder, 'config'), JSON.stringify(config));
  }

  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  /** An exec plugin as kubectl runs one. */
  const plugin = (script: string): object => ({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['--eval', script],
      interactiveMode: 'Never',
    },
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-live-'));
    for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
    await mkdir(join(folder, 'jobs'));
    for (const name of ['scaled.json', 'new.json', 'config-map.json'] as const) {
      await writeFile(join(folder, 'jobs', name), FILES[name]);
    }
    cluster = await startGuardedCluster('training-operator 1.9');
    await post('/api/v1/namespaces', { metadata: { name: 'team' } });
    expect(await cluster.kubectl(['apply', '-f', '-'], { stdin: APPLIED })).toMatchObject({ code: 0 });
    const { certPem, keyPem } = cluster.administrator;
    const writer = await account('writer', ['get', 'patch', 'update', 'create', 'delete']);
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: writer },
    };
    await writeUsers({
      administrator: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) },
      writer: { token: writer },
      plugged: plugin(`console.log(${JSON.stringify(JSON.stringify(credential))})`),
      unplugged: plugin('console.error("not logged in"); process.exit(1)'),
      reader: { token: await account('reader', ['get']) },
      nobody: { token: await account('nobody', []) },
      expired: { token: 'long.gone' },
    });
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(folder, { recursive: true });
  });

  const jobguard = (...args: readonly string[]): Promise<Finished> =>
    run(process.execPath, [BUNDLE, ...args], { cwd: folder, env: { KUBECONFIG: join(folder, 'config') } });

  describe('check', () => {
    test('says what the jobguard of the cluster says', async () => {
      expect(await jobguard('check', '--live', 'scaled.json')).toEqual({
        code: 1,
        stderr: '',
        stdout: `Denied: ${MNIST} in namespace "team" may not be updated

  permitted  metadata.labels[a] (changed)
  refused    ${REPLICAS} (2 → 4)

Only labels, annotations, activeDeadlineSeconds, ttlSecondsAfterFinished and cleanPodPolicy may change. ${wayOutIn('team')}
`,
      });
    });

    test('tells programs the same, and what could be sent', async () => {
      const { code, stdout } = await jobguard('check', '--live', 'scaled.json', '-o', 'json', '--field-manager', 'x');
      expect([code, JSON.parse(stdout)]).toEqual([
        1,
        {
          allowed: false,
          decision: 'deny',
          mode: 'enforce',
          exemption: null,
          changes: [
            { path: '/metadata/labels/a', field: 'metadata.labels[a]', op: 'replace', permitted: true },
            {
              path: '/spec/tfReplicaSpecs/Worker/replicas',
              field: REPLICAS,
              op: 'replace',
              permitted: false,
              oldValue: 2,
              newValue: 4,
            },
          ],
          message: denialOf(MNIST, [`${REPLICAS} (2 → 4)`], { wayOut: wayOutIn('team') }),
          hint: null,
          warnings: [],
        },
      ]);
      const patch = JSON.parse((await jobguard('check', '--live', 'scaled.json', '-o', 'patch')).stdout) as unknown;
      expect(patch).toEqual([{ op: 'replace', path: '/metadata/labels/a', value: 'c' }]);
    });

    test.each<[string, readonly string[], number, string]>([
      ['the manifest that was applied', ['applied.json'], 0, 'does not change'],
      ['another label', ['relabelled.json'], 0, 'may be updated\n\n  permitted  metadata.labels[a] (changed)\n'],
      ['a field less', ['without-backoff.json'], 1, 'refused    spec.runPolicy.backoffLimit (3 → unset)'],
      ['a replacement', ['scaled.json', '--replace'], 1, `refused    ${REPLICAS} (2 → 4)`],
      ['a merge patch', ['tfjob/mnist', '--patch', JSON.stringify(workers(TF_JOB, 3))], 1, `${REPLICAS} (2 → 3)`],
      [
        'a JSON patch',
        ['tfjobs.kubeflow.org/mnist', '--type', 'json', '--patch', '[{"op":"remove","path":"/metadata/labels/a"}]'],
        0,
        'permitted  metadata.labels (removed)',
      ],
      ['several', ['jobs'], 1, '1 denied, 1 created, 1 not guarded\n'],
      ['a candidate that allows more', ['scaled.json', '--policy', 'lax.yaml'], 0, `permitted  ${REPLICAS} (2 → 4)`],
      [
        'a candidate that allows less',
        ['relabelled.json', '--policy', 'strict.yaml'],
        1,
        'refused    metadata.labels[a]',
      ],
      [
        'a candidate that exempts who asks',
        ['scaled.json', '--policy', 'reader-only.yaml', '--context', 'writer'],
        0,
        'by the exemption "writers"',
      ],
      ['somebody who gets in by a token', ['relabelled.json', '--context', 'writer'], 0, 'may be updated'],
      ['somebody who gets in by an exec plugin', ['scaled.json', '--context', 'plugged'], 1, `${REPLICAS} (2 → 4)`],
      [
        'somebody else',
        ['scaled.json', '--as', 'system:serviceaccount:team:writer'],
        1,
        `refused    ${REPLICAS} (2 → 4)`,
      ],
    ])('judges %s', async (_what, args, code, text) => {
      const { stderr, ...finished } = await jobguard('check', '--live', ...args);
      expect([stderr, finished]).toEqual(['', { code, stdout: expect.stringContaining(text) }]);
    });

    const grantTo = (name: string, verbs: string): string =>
      `to grant it: kubectl create role jobguard-check -n team --verb=${verbs} --resource=tfjobs.kubeflow.org && ` +
      `kubectl create rolebinding jobguard-check -n team --role=jobguard-check --serviceaccount=team:${name}`;

    test.each<[string, readonly string[], string]>([
      [
        'nobody may read the job',
        ['scaled.json', '--context', 'nobody'],
        `the user "system:serviceaccount:team:nobody" may not get tfjobs.kubeflow.org in namespace "team"; ${grantTo('nobody', 'get,patch')}`,
      ],
      [
        'nobody may patch the job',
        ['scaled.json', '--context', 'reader'],
        `the user "system:serviceaccount:team:reader" may not patch tfjobs.kubeflow.org in namespace "team"; ${grantTo('reader', 'get,patch')}`,
      ],
      [
        'nobody may replace the job',
        ['scaled.json', '--replace', '--context', 'reader'],
        `the user "system:serviceaccount:team:reader" may not update tfjobs.kubeflow.org in namespace "team"; ${grantTo('reader', 'get,update')}`,
      ],
      [
        'nobody may be somebody else',
        ['scaled.json', '--as', 'ann', '--context', 'reader'],
        'the user "system:serviceaccount:team:reader" may not act as somebody else',
      ],
      [
        'the token has expired',
        ['scaled.json', '--context', 'expired'],
        'SERVER does not accept the credentials of the user "expired" in the kubeconfig; they may have expired',
      ],
      [
        'the exec plugin fails',
        ['scaled.json', '--context', 'unplugged'],
        'no credentials for the user "unplugged" of the kubeconfig: not logged in',
      ],
      ['there is no such context', ['scaled.json', '--context', 'x'], 'the kubeconfig: has no context "x"'],
      ['there is no such kubeconfig', ['scaled.json', '--kubeconfig', 'x'], 'x: does not exist'],
      [
        'nothing listens',
        ['scaled.json', '--context', 'nowhere'],
        'cannot reach https://127.0.0.1:PORT: connection refused',
      ],
      [
        'there is no such job',
        ['tfjob/x', '--patch', '{}'],
        'the cluster has no tfjobs.kubeflow.org "x" in namespace "team"',
      ],
      [
        'there is no such kind',
        ['trainjob/x', '--patch', '{}'],
        'the cluster does not have trainjobs.trainer.kubeflow.org',
      ],
      [
        'there is no such version',
        ['other-version.json'],
        'the cluster does not have tfjobs.kubeflow.org in version v2',
      ],
    ])('says in one line that %s', async (_what, args, problem) => {
      const { server } = cluster.administrator;
      const { code, stdout, stderr } = await jobguard('check', '--live', ...args);
      const shown = stderr.replace(server.replace(/\/$/, ''), 'SERVER').replace(/127\.0\.0\.1:\d+/, '127.0.0.1:PORT');
      expect([code, stdout, shown]).toEqual([2, '', `error: ${problem}\n`]);
    });

    test('passes on what else the API server refuses', async () => {
      const { code, stderr } = await jobguard('check', '--live', 'wrong.json');
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(
          /^error: tfjobs\.kubeflow\.org "mnist" in namespace "team": the API server answers: .*cleanPodPolicy.*\n$/,
        ),
      ]);
    });

    test('stores nothing', async () => {
      const json = await stored('mnist');
      expect([at(json, 'metadata', 'labels'), at(json, 'metadata', 'generation')]).toEqual([{ a: 'b' }, 1]);
    });
  });

  /** Returns a job that is stored; undefined where there is none. */
  async function stored(name: string): Promise<unknown> {
    const { status, json } = await cluster.request('GET', `${collection(TF_JOB, 'team')}/${name}`);
    return status === 404 ? undefined : json;
  }

  describe('rerun', () => {
    const jobNamedIn = (name: string): string => `tfjobs.kubeflow.org "${name}" in namespace "team"`;

    test('prints the manifest, says what it would send, and sends nothing', async () => {
      const { code, stdout, stderr } = await jobguard('rerun', '--live', 'tfjob/mnist', '-f', 'scaled.json');
      expect([code, stderr]).toEqual([0, `creates ${jobNamedIn('mnist-2')}\nNothing is sent without --create.\n`]);
      expect(stdout).toContain('\n  name: mnist-2\n');
      expect(await stored('mnist-2')).toBeUndefined();
    });

    test('asks before it sends anything, and sends nothing where nobody can answer', async () => {
      expect(await jobguard('rerun', '--live', 'tfjob/mnist', '-f', 'scaled.json', '--create')).toEqual({
        code: 2,
        stdout: '',
        stderr: `creates ${jobNamedIn('mnist-2')}\nerror: --yes: required where nobody can answer\n`,
      });
      expect(await stored('mnist-2')).toBeUndefined();
    });

    test('creates what was refused, under the first name that is free', async () => {
      await post(collection(TF_JOB, 'team'), JSON.parse(job('mnist-2')));
      const args = ['--live', 'tfjob/mnist', '-f', 'scaled.json', '--create', '--yes', '--context', 'writer'];
      expect(await jobguard('rerun', ...args)).toEqual({
        code: 0,
        stdout: `${jobNamedIn('mnist-3')} created\n`,
        stderr: `creates ${jobNamedIn('mnist-3')}\n`,
      });
      const [old, created] = [await stored('mnist'), await stored('mnist-3')];
      expect(at(created, 'metadata', 'annotations')).toEqual({ 'jobguard.dev/rerun-of': 'mnist' });
      expect(at(created, 'metadata', 'labels')).toEqual({ a: 'c' });
      expect(at(created, 'spec', 'tfReplicaSpecs', 'Worker', 'replicas')).toBe(4);
      expect(at(created, 'spec', 'runPolicy')).toEqual(at(old, 'spec', 'runPolicy'));
    });

    test('runs a job once more with a patch, and follows it', async () => {
      const patch = JSON.stringify(workers(TF_JOB, 1));
      const args = [
        'tfjob/mnist',
        '--patch',
        patch,
        '--name',
        'small',
        '--create',
        '--yes',
        '--wait',
        '--timeout',
        '60s',
      ];
      const running = jobguard('rerun', '--live', ...args);
      await eventually('the new job', () => stored('small'));
      const condition = { type: 'Running', status: 'True', reason: 'TFJobRunning', message: '' };
      const { status } = await cluster.request('PATCH', `${collection(TF_JOB, 'team')}/small/status`, {
        contentType: 'application/merge-patch+json',
        body: { status: { conditions: [condition], replicaStatuses: {} } },
      });
      expect(status).toBe(200);
      const { code, stdout } = await running;
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(
          new RegExp(`^tfjobs\\.kubeflow\\.org "small" .* created\n(small: Waiting\n)?small: Running\n$`),
        ),
      ]);
    });

    test('deletes the old job once the new one is there', async () => {
      const patch = JSON.stringify(workers(TF_JOB, 1));
      const args = ['tfjob/mnist-2', '--patch', patch, '--name', 'next', '--create', '--delete-old', '--yes'];
      expect(await jobguard('rerun', '--live', ...args)).toEqual({
        code: 0,
        stdout: `${jobNamedIn('next')} created\n${jobNamedIn('mnist-2')} deleted\n`,
        stderr: `creates ${jobNamedIn('next')}\ndeletes ${jobNamedIn('mnist-2')} once the new one is there\n`,
      });
      expect([await stored('mnist-2'), await stored('next')]).toEqual([undefined, expect.anything()]);
    });

    test('is what a denial names, and what it names makes the new job', async () => {
      const denied = await cluster.kubectl(['apply', '-f', join(folder, 'scaled.json')]);
      const [, command = ''] = /kubectl jobguard (rerun .* --create)\./.exec(denied.stderr) ?? [];
      const finished = await jobguard(...command.replace('FILENAME', 'scaled.json').split(' '), '--yes');
      expect(finished).toMatchObject({ code: 0, stdout: `${jobNamedIn('mnist-2')} created\n` });
      expect(at(await stored('mnist-2'), 'spec', 'tfReplicaSpecs', 'Worker', 'replicas')).toBe(4);
    });

    test.each<[string, readonly string[], string]>([
      [
        'may not create jobs',
        ['tfjob/mnist', '--create', '--yes', '--context', 'reader'],
        'the user "system:serviceaccount:team:reader" may not create tfjobs.kubeflow.org in namespace "team"; to grant it: ' +
          'kubectl create role jobguard-rerun -n team --verb=get,create --resource=tfjobs.kubeflow.org && ' +
          'kubectl create rolebinding jobguard-rerun -n team --role=jobguard-rerun --serviceaccount=team:reader',
      ],
      [
        'has chosen a name that is taken',
        ['tfjob/mnist', '--create', '--yes', '--name', 'mnist'],
        `${jobNamedIn('mnist')}: the API server answers: tfjobs.kubeflow.org "mnist" already exists`,
      ],
      ['names no job', ['mnist'], '"mnist" is no RESOURCE/NAME such as tfjob/mnist'],
      [
        'names no kind',
        ['pod/mnist'],
        expect.stringMatching(
          /^"pod" is none of tfjobs\.kubeflow\.org, .*, and names no group itself$/,
        ) as unknown as string,
      ],
      ['waits for nothing', ['tfjob/mnist', '--wait'], '--wait: requires --create'],
      ['waits for no time', ['tfjob/mnist', '--timeout', 'x'], '--timeout: "x" is no duration such as 90s or 10m'],
    ])('tells whoever %s', async (_what, args, problem) => {
      const { code, stdout, stderr } = await jobguard('rerun', '--live', ...args);
      const [last = ''] = stderr.trimEnd().split('\n').slice(-1);
      expect([code, stdout, last.replace(/^error: /, '')]).toEqual([2, '', problem]);
    });
  });
});
