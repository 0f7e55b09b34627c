import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '../../src/core/json.ts';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { causeOf, HINTS, presetHintOf, WAY_OUT, wayOutIn } from '../support/denial-wording.ts';
import { mergePatched } from '../support/job.ts';
import { at } from '../../tools/json-at.ts';
import { WEBHOOK_NAME } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, PYTORCH_JOB, TF_JOB, type Job, type JobKind } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';
import { startPolicedCluster, type PolicedCluster } from './policed-cluster.ts';

const policy = (rest: string): string => `apiVersion: jobguard/v1\nkind: UpdatePolicy\n${rest}\n`;

/** Each policy, under the namespace that it has for itself. */
const POLICIES: Readonly<Record<string, string>> = {
  off: policy('presets: { garbageCollector: false }'),
  kueue: policy('presets: { kueue: true }'),
  scaled: policy('presets: { horizontalPodAutoscaler: true }'),
  flyte: policy('presets: { flyte: true }'),
  collected: policy('presets: { garbageCollector: true }'),
  suspended: policy('suspendedJobs: true'),
  'team-a': policy(`
allowBroadIdentities: true
exemptions:
  - name: platform-admins
    groups: ['platform:*']
    paths: [/spec/runPolicy/suspend, /metadata/finalizers]
  - name: schedulers
    usernames: ['system:serviceaccount:team-*:scheduler']
    namespaces: [team-a]
    paths: [/spec/tfReplicaSpecs/*/template/spec/nodeSelector]
`),
};
/** Guarded by the policy of team-a, too. */
const OTHER_TEAM = 'team-b';

interface Writer {
  readonly username: string;
  readonly preset: string;
  readonly namespace: string;
  readonly title: string;
}
const KUEUE: Writer = {
  username: 'system:serviceaccount:kueue-system:kueue-controller-manager',
  preset: 'kueue',
  namespace: 'kueue',
  title: 'Kueue',
};
const AUTOSCALER: Writer = {
  username: 'system:serviceaccount:kube-system:horizontal-pod-autoscaler',
  preset: 'horizontalPodAutoscaler',
  namespace: 'scaled',
  title: 'the horizontal pod autoscaler',
};
const FLYTE: Writer = {
  username: 'system:serviceaccount:flyte:flytepropeller',
  preset: 'flyte',
  namespace: 'flyte',
  title: 'Flyte',
};
const COLLECTOR: Writer = {
  username: 'system:serviceaccount:kube-system:generic-garbage-collector',
  preset: 'garbageCollector',
  namespace: 'collected',
  title: 'the garbage collector',
};

const template = (of: JobKind, placement: unknown): Record<string, JsonValue> => ({
  [of.replicaSpecs]: {
    [of.firstReplica]: { template: placement as JsonValue },
    Worker: { template: placement as JsonValue },
  },
});

/** What Kueue does to each replica's template when it starts a job, and the ways in which it takes that back. */
const PLACED = {
  metadata: { labels: { 'kueue.x-k8s.io/podset': 'main' }, annotations: { 'kueue.x-k8s.io/workload': 'mnist-1' } },
  spec: {
    nodeSelector: { pool: 'gpu' },
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    schedulingGates: [{ name: 'kueue.x-k8s.io/topology' }],
  },
};
const REMOVED = { metadata: null, spec: { nodeSelector: null, tolerations: null, schedulingGates: null } };
const EMPTIED = {
  metadata: { labels: { 'kueue.x-k8s.io/podset': null }, annotations: { 'kueue.x-k8s.io/workload': null } },
  spec: { nodeSelector: { pool: null }, tolerations: [], schedulingGates: [] },
};
const PRUNED = {
  metadata: { labels: null, annotations: null },
  spec: { nodeSelector: null, tolerations: null, schedulingGates: null },
};

const SPELLED_BY_GO = { metadata: {}, spec: { nodeSelector: {}, tolerations: [], schedulingGates: [] } };

const suspended = (suspend: boolean): Record<string, JsonValue> => ({ runPolicy: { suspend } });
const held = { metadata: { finalizers: ['flyte.org/finalizer-k8s'] } };

/** An update that its writer has to make to do its work: of a job to which `before` was added. */
interface Work {
  readonly writer: Writer;
  readonly what: string;
  readonly of: JobKind;
  readonly before: JsonValue;
  readonly patch: JsonValue;
  readonly subresource: string;
}
const WORK: Work[] = [
  ...[TF_JOB, PYTORCH_JOB].flatMap((of): Work[] => [
    {
      writer: KUEUE,
      what: `starts a ${of.kind}`,
      of,
      before: { spec: suspended(true) },
      patch: { spec: { ...suspended(false), ...template(of, PLACED) } },
      subresource: '',
    },
    ...[
      { how: 'stops', placement: REMOVED },
      { how: 'stops, with empty maps and lists left,', placement: EMPTIED },
      { how: 'stops, with empty metadata left,', placement: PRUNED },
    ].map(({ how, placement }) => ({
      writer: KUEUE,
      what: `${how} a ${of.kind}`,
      of,
      before: { spec: { ...suspended(false), ...template(of, PLACED) } },
      patch: { spec: { ...suspended(true), ...template(of, placement) } },
      subresource: '',
    })),
  ]),
  {
    writer: AUTOSCALER,
    what: 'scales a PyTorchJob',
    of: PYTORCH_JOB,
    before: {},
    patch: { spec: { replicas: 3 } },
    subresource: '/scale',
  },
  ...[TF_JOB, PYTORCH_JOB].map((of) => ({
    writer: FLYTE,
    what: `takes its finalizer off a ${of.kind}`,
    of,
    before: held,
    patch: { metadata: { finalizers: null } },
    subresource: '',
  })),
  {
    writer: COLLECTOR,
    what: 'takes an owner off a TFJob',
    of: TF_JOB,
    before: { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'gone' }] } },
    patch: { metadata: { ownerReferences: null } },
    subresource: '',
  },
];

describeWithControlPlane('writers, each under the policies that are for and against them', () => {
  let cluster: PolicedCluster;
  let jobs = 0;

  beforeAll(async () => {
    cluster = await startPolicedCluster();
    for (const [namespace, text] of Object.entries(POLICIES)) {
      await cluster.guard(text, namespace === 'team-a' ? [namespace, OTHER_TEAM] : [namespace]);
    }
  });
  afterAll(() => cluster.stop());

  /** Creates a job that differs in `before` from the plain one and returns its path. */
  async function jobIn(
    namespace: string,
    of: JobKind,
    before: JsonValue = {},
  ): Promise<{ path: string; name: string }> {
    jobs += 1;
    const name = `job-${jobs}`;
    const plain = JSON.parse(JSON.stringify(jobNamed(name, of, { metadata: { namespace } }))) as JsonValue;
    const path = await create(cluster, of, mergePatched(plain, before) as unknown as Job);
    return { path, name };
  }

  const messageOf = (answer: Answer): string => String(at(answer.json, 'message'));

  describe.each(WORK)('$writer.title $what', ({ writer, of, before, patch: body, subresource }) => {
    test('with its preset on: allowed, as exempt', async () => {
      const { path } = await jobIn(writer.namespace, of, before);
      const answer = await mergePatch(cluster, `${path}${subresource}`, body, writer.username);
      expect(answer.status).toBe(200);
      expect(await cluster.noted(answer)).toMatchObject({ decision: 'exempt', exemption: writer.preset });
    });

    test('with its preset off: denied, with a hint', async () => {
      const { path } = await jobIn('off', of, before);
      const answer = await mergePatch(cluster, `${path}${subresource}`, body, writer.username);
      expect(answer.status).toBe(403);
      const hint = presetHintOf(writer.title, writer.preset);
      expect(messageOf(answer)).toEqual(expect.stringContaining(`. ${WAY_OUT} (${hint})`));
      expect(await cluster.noted(answer)).toMatchObject({ decision: 'deny', mode: 'enforce' });
    });

    test.each([
      'alice',
      'system:serviceaccount:default:kueue-controller-manager',
      'system:serviceaccount:openshift-kueue-operator:kueue-controller-manager',
    ])('with the preset on, by %s: denied', async (username) => {
      const { path } = await jobIn(writer.namespace, of, before);
      const answer = await mergePatch(cluster, `${path}${subresource}`, body, username);
      expect(answer.status).toBe(403);
      expect(messageOf(answer)).not.toContain('turn on');
    });

    if (subresource !== '') return;
    test('together with something else: denied for that alone', async () => {
      const { path } = await jobIn(writer.namespace, of, before);
      const more = { spec: { [of.replicaSpecs]: { Worker: { replicas: 5 } } } };
      const answer = await mergePatch(cluster, path, mergePatched(body, more), writer.username);
      expect([answer.status, at(answer.json, 'details', 'causes')]).toEqual([
        403,
        [
          {
            reason: 'FieldValueForbidden',
            message: causeOf('2 → 5'),
            field: `spec.${of.replicaSpecs}[Worker].replicas`,
          },
        ],
      ]);
    });
  });

  describe.each([TF_JOB, PYTORCH_JOB])('a $kind that Kueue started and stopped', (of) => {
    test.each([
      ['removed', REMOVED],
      ['emptied', EMPTIED],
      ['pruned', PRUNED],
    ])('is what it was, where the placement is %s: anybody may replace it by its manifest', async (_how, placement) => {
      const { path } = await jobIn('kueue', of, { spec: suspended(true) });
      const manifest = (await cluster.request('GET', path)).json;
      const start = { spec: { ...suspended(false), ...template(of, PLACED) } };
      const started = await mergePatch(cluster, path, start, KUEUE.username);
      const refused = await replace(path, manifest, 'alice');
      const stop = { spec: { ...suspended(true), ...template(of, placement) } };
      const stopped = await mergePatch(cluster, path, stop, KUEUE.username);
      const replaced = await replace(path, manifest, 'alice');
      expect([started, refused, stopped, replaced].map(({ status }) => status)).toEqual([200, 403, 200, 200]);
      expect(await cluster.noted(replaced)).toMatchObject({ decision: 'allow' });
      expect(at((await cluster.request('GET', path)).json, 'spec')).toEqual(at(manifest, 'spec'));
    });

    test('is written back whole by Kueue, as Go’s types spell it', async () => {
      const { path } = await jobIn('kueue', of, { spec: { ...suspended(false), ...template(of, PLACED) } });
      const stored = JSON.parse((await cluster.request('GET', path)).text) as JsonValue;
      const stopped = mergePatched(stored, { spec: { ...suspended(true), ...template(of, REMOVED) } });
      const answer = await replace(path, mergePatched(stopped, { spec: template(of, SPELLED_BY_GO) }), KUEUE.username);
      expect(answer.status).toBe(200);
      expect(await cluster.noted(answer)).toMatchObject({ decision: 'exempt', exemption: 'kueue' });
    });
  });

  /** Replaces a job as it is stored now, whatever version the manifest is of. */
  async function replace(path: string, manifest: unknown, as: string): Promise<Answer> {
    const stored = await cluster.request('GET', path);
    const resourceVersion = String(at(stored.json, 'metadata', 'resourceVersion'));
    const body = mergePatched(JSON.parse(JSON.stringify(manifest)) as JsonValue, { metadata: { resourceVersion } });
    return cluster.request('PUT', path, { body, as });
  }

  describe('a real garbage collector', () => {
    beforeAll(() => cluster.startControllerManager());

    /** Has the collector take a deleted owner off a job of that owner, and returns both. */
    async function orphaned(namespace: string): Promise<{ job: string; name: string; owner: string }> {
      const maps = `/api/v1/namespaces/${namespace}/configmaps`;
      const metadata = { name: 'owner' };
      const created = await cluster.request('POST', maps, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata } });
      const uid = String(at(created.json, 'metadata', 'uid'));
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
      const { path, name } = await jobIn(namespace, TF_JOB, { metadata: { ownerReferences } });
      await cluster.request('DELETE', `${maps}/owner?propagationPolicy=Orphan`);
      return { job: path, name, owner: `${maps}/owner` };
    }

    const ownersOf = async (job: string): Promise<unknown> =>
      at((await cluster.request('GET', job)).json, 'metadata', 'ownerReferences', 0, 'name');

    test('with its preset on takes the owner off, which then goes', async () => {
      const { job, owner } = await orphaned('collected');
      await eventually('the owner to be gone', async () =>
        (await cluster.request('GET', owner)).status === 404 ? true : undefined,
      );
      expect(await ownersOf(job)).toBeUndefined();
    });

    test('with its preset off is denied again and again, and the owner stays', async () => {
      const { job, name, owner } = await orphaned('off');
      const denials = await eventually('two denials', async () => {
        const patches = (await cluster.auditTrail('tfjobs', name)).filter(
          ({ user, verb, code }) => user === COLLECTOR.username && verb === 'patch' && code === 403,
        );
        return patches.length >= 2 ? patches : undefined;
      });
      expect(denials[0]?.annotations).toMatchObject({
        [`${WEBHOOK_NAME}/decision`]: 'deny',
        [`${WEBHOOK_NAME}/denied-paths`]: '["/metadata/ownerReferences"]',
      });
      const kept = await cluster.request('GET', owner);
      expect([kept.status, at(kept.json, 'metadata', 'finalizers')]).toEqual([200, ['orphan']]);
      expect(await ownersOf(job)).toBe('owner');
    });
  });

  describe('a suspended job', () => {
    const edit = (of: JobKind): JsonValue => ({ spec: { [of.replicaSpecs]: { Worker: { replicas: 3 } } } });

    test('may be edited where suspendedJobs is on, and resumed with the same update', async () => {
      const { path } = await jobIn('suspended', TF_JOB, { spec: suspended(true) });
      const edited = await mergePatch(cluster, path, edit(TF_JOB), 'alice');
      const resumed = await mergePatch(cluster, path, mergePatched(edit(TF_JOB), { spec: suspended(false) }), 'alice');
      const after = await mergePatch(cluster, path, { spec: { tfReplicaSpecs: { Worker: { replicas: 4 } } } }, 'alice');
      expect([edited, resumed, after].map(({ status }) => status)).toEqual([200, 200, 403]);
      expect(await cluster.noted(edited)).toMatchObject({ decision: 'allow' });
    });

    test('may not be suspended for that: what is stored counts', async () => {
      const { path } = await jobIn('suspended', TF_JOB);
      const answer = await mergePatch(cluster, path, mergePatched(edit(TF_JOB), { spec: suspended(true) }), 'alice');
      expect(answer.status).toBe(403);
    });

    test.each([
      {
        title: 'is not edited where it is off; the message says how it could be',
        body: edit(TF_JOB),
        hint: HINTS.suspendedJob,
      },
      {
        title: 'is not resumed by people; the message says how it could be',
        body: { spec: suspended(false) },
        hint: HINTS.suspend,
      },
    ])('$title', async ({ body, hint }) => {
      const { path, name } = await jobIn('off', TF_JOB, { spec: suspended(true) });
      const answer = await mergePatch(cluster, path, body, 'alice');
      expect([answer.status, messageOf(answer)]).toEqual([
        403,
        expect.stringContaining(`. ${wayOutIn('off', `tfjob/${name}`)} (${hint})`),
      ]);
    });
  });

  describe('exemptions', () => {
    const SCHEDULER = 'system:serviceaccount:team-a:scheduler';
    const suspend = { spec: suspended(true) };
    const place = { spec: template(TF_JOB, { spec: { nodeSelector: { pool: 'gpu' } } }) };

    test.each<[who: string, user: string, groups: string[], namespace: string, patch: JsonValue, verdict: unknown[]]>([
      ['a member of an exempted group', 'carol', ['platform:admins'], 'team-a', suspend, ['exempt', 'platform-admins']],
      ['a member of a group by another name', 'carol', ['xplatform:admins'], 'team-a', suspend, ['deny', undefined]],
      ['a user by the name of the group', 'platform:admins', [], 'team-a', suspend, ['deny', undefined]],
      ['the exempted user', SCHEDULER, [], 'team-a', place, ['exempt', 'schedulers']],
      ['the exempted user, elsewhere', SCHEDULER, [], OTHER_TEAM, place, ['deny', undefined]],
      ['the exempted user, with more than its paths', SCHEDULER, [], 'team-a', suspend, ['deny', undefined]],
      [
        'a user with two exemptions who needs both',
        SCHEDULER,
        ['platform:robots'],
        'team-a',
        mergePatched(suspend, place),
        ['exempt', 'platform-admins,schedulers'],
      ],
    ])('%s', async (_who, user, groups, namespace, body, [decision, exemption]) => {
      const { name } = await jobIn(namespace, TF_JOB);
      const as = ['--as', user, ...[...groups, 'system:masters'].map((group) => `--as-group=${group}`)];
      const args = ['--namespace', namespace, 'patch', 'tfjob', name, '--type=merge', '-p', JSON.stringify(body)];
      const { code } = await cluster.kubectl([...as, ...args]);
      const trail = await eventually('the patch in the audit log', async () => {
        const patches = (await cluster.auditTrail('tfjobs', name)).filter(({ verb }) => verb === 'patch');
        return patches.length > 0 ? patches : undefined;
      });
      expect(code).toBe(decision === 'exempt' ? 0 : 1);
      expect(
        trail.map(({ annotations }) =>
          ['decision', 'exemption'].map((key) => at(annotations, `${WEBHOOK_NAME}/${key}`)),
        ),
      ).toEqual([[decision, exemption]]);
    });
  });
});
