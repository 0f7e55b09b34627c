import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { decide, type Decision, type UnjudgeableReason } from '../../src/core/decide.ts';
import { ExactNumber, isMap, parseJson, type JsonMap, type JsonValue } from '../../src/core/json.ts';
import { guardedResource, type GuardedResource } from '../../src/core/policy.ts';
import { mergePatched, PYTORCH_JOB, TF_JOB, withValue, without } from '../support/job.ts';
import { DEFAULT_POLICY, judge, policyWith, requestOf, verdictOn, type Review } from '../support/review.ts';

const TF_JOBS = guardedResource(DEFAULT_POLICY, 'kubeflow.org', 'tfjobs');
const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';
const AUTOSCALER = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';
const FLYTE = 'system:serviceaccount:flyte:flytepropeller';

const WORKER = '/spec/tfReplicaSpecs/Worker';
const CONTAINER = `${WORKER}/template/spec/containers/0`;

/** Judges the update of the usual TFJob to another one. */
const updated = (object: JsonMap, review: Review = {}): string[] => verdictOn({ oldObject: TF_JOB, object, ...review });

describe('labels, annotations and the five fields', () => {
  const places: [string, JsonValue, JsonValue][] = [
    ['/metadata/labels', { a: 'b' }, { a: 'c' }],
    ['/metadata/labels/team', 'vision', 'speech'],
    ['/metadata/annotations', { a: 'b' }, { a: 'c' }],
    ['/metadata/annotations/note', 'first', 'second'],
    ['/spec/activeDeadlineSeconds', 60, 120],
    ['/spec/ttlSecondsAfterFinished', 60, 120],
    ['/spec/cleanPodPolicy', 'None', 'All'],
    ['/spec/runPolicy/activeDeadlineSeconds', 60, 120],
    ['/spec/runPolicy/ttlSecondsAfterFinished', 60, 120],
    ['/spec/runPolicy/cleanPodPolicy', 'None', 'All'],
  ];

  describe.each(places)('%s', (place, value, other) => {
    const withoutIt = without(TF_JOB, place);
    const withIt = withValue(TF_JOB, place, value);
    test.each<[string, JsonMap, JsonMap]>([
      ['may be set', withoutIt, withIt],
      ['may be changed', withIt, withValue(TF_JOB, place, other)],
      ['may be removed', withIt, withoutIt],
      ['may be nulled', withIt, withValue(TF_JOB, place, null)],
      ['may be set to what no server would take', withIt, withValue(TF_JOB, place, [true, { a: -1.5 }])],
    ])('%s', (_title, oldObject, object) => {
      const { decision } = judge({ oldObject, object });
      expect(decision).toMatchObject({ outcome: 'allow' });
      expect('changes' in decision ? decision.changes.length : 0).toBeGreaterThan(0);
    });
  });

  test('may be set together in a job without a run policy', () => {
    const oldObject = without(TF_JOB, '/spec/runPolicy');
    const object = withValue(oldObject, '/spec/runPolicy', { cleanPodPolicy: 'All', suspend: false });
    expect(judge({ oldObject, object })).toEqual({
      resource: TF_JOBS,
      decision: {
        outcome: 'allow',
        changes: [
          {
            op: 'add',
            path: ['spec', 'runPolicy', 'cleanPodPolicy'],
            oldValue: undefined,
            newValue: 'All',
            permitted: true,
            exemption: undefined,
          },
        ],
      },
      mode: 'enforce',
    });
  });

  test('are judged one by one in a new run policy', () => {
    const oldObject = without(TF_JOB, '/spec/runPolicy');
    const object = withValue(oldObject, '/spec/runPolicy', { cleanPodPolicy: 'All', backoffLimit: 3 });
    expect(verdictOn({ oldObject, object })).toEqual(['deny', 'add /spec/runPolicy/backoffLimit']);
  });
});

describe('no change', () => {
  test.each<[string, JsonMap]>([
    ['the same job', TF_JOB],
    ['managedFields', withValue(TF_JOB, '/metadata/managedFields', [{ manager: 'helm' }])],
    ['no managedFields', without(TF_JOB, '/metadata/managedFields')],
    ['the generation', withValue(TF_JOB, '/metadata/generation', 2)],
    ['the resource version', withValue(TF_JOB, '/metadata/resourceVersion', '4712')],
    ['the self link', withValue(TF_JOB, '/metadata/selfLink', '/apis/x')],
    ['the uid', withValue(TF_JOB, '/metadata/uid', 'x')],
    ['the creation timestamp', withValue(TF_JOB, '/metadata/creationTimestamp', null)],
    ['the deletion timestamp', withValue(TF_JOB, '/metadata/deletionTimestamp', '2024-05-02T08:00:00Z')],
    ['the grace period of a deletion', withValue(TF_JOB, '/metadata/deletionGracePeriodSeconds', 30)],
    ['a quantity written otherwise', withValue(TF_JOB, `${CONTAINER}/resources/limits/cpu`, '1000m')],
    ['a quantity as a number', withValue(TF_JOB, `${CONTAINER}/resources/limits/cpu`, 1)],
    ['fields that a typed client adds', withValue(TF_JOB, `${WORKER}/template/metadata/creationTimestamp`, null)],
    ['structs that a typed client adds', withValue(TF_JOB, `${WORKER}/template/spec/containers/1/resources`, {})],
    ['a field that a typed client drops', without(TF_JOB, '/spec/runPolicy/suspend')],
  ])('%s', (_title, object) => {
    expect(judge({ oldObject: TF_JOB, object })).toEqual({
      resource: TF_JOBS,
      decision: { outcome: 'allow', changes: [] },
      mode: 'enforce',
    });
  });

  test('no difference of an object whose keys stand in another order', () => {
    const object = Object.fromEntries(Object.entries(TF_JOB).reverse());
    expect(updated(object)).toEqual(['allow']);
  });
});

describe('kubectl apply', () => {
  test('may write nothing but what it last applied', () => {
    const place = '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration';
    expect(judge({ oldObject: TF_JOB, object: withValue(TF_JOB, place, '{"spec":{}}') }).decision).toEqual({
      outcome: 'allow',
      changes: [
        {
          op: 'add',
          path: ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'],
          oldValue: undefined,
          newValue: '{"spec":{}}',
          permitted: true,
          exemption: undefined,
        },
      ],
    });
  });
});

describe('every other field is denied, and named once', () => {
  test.each<[string, string, JsonValue]>([
    ['the image', `${CONTAINER}/image`, 'registry.example.com/mnist:v2'],
    ['the number of replicas', `${WORKER}/replicas`, 4],
    ['an argument', `${CONTAINER}/args/1`, '--epochs=4'],
    ['the command', `${CONTAINER}/command/0`, 'bash'],
    ['the value of a variable', `${CONTAINER}/env/0/value`, 'hunter3'],
    ['a limit', `${CONTAINER}/resources/limits/memory`, '2Gi'],
    ['a request', `${CONTAINER}/resources/requests/cpu`, '1'],
    ['the restart policy', `${WORKER}/restartPolicy`, 'Always'],
    ['the claim of a volume', `${WORKER}/template/spec/volumes/0/persistentVolumeClaim/claimName`, 'other'],
    ['where a volume is mounted', `${CONTAINER}/volumeMounts/0/mountPath`, '/other'],
    ['the backoff limit', '/spec/runPolicy/backoffLimit', 5],
    ['the queue', '/spec/runPolicy/schedulingPolicy/queue', 'fast'],
    ['a label of the pods', `${WORKER}/template/metadata/labels/role`, 'chief'],
    ['the node selector', `${WORKER}/template/spec/nodeSelector/zone`, 'b'],
    ['the API version', '/apiVersion', 'kubeflow.org/v2'],
    ['the kind', '/kind', 'PyTorchJob'],
    ['the name', '/metadata/name', 'other'],
    ['the namespace', '/metadata/namespace', 'other'],
    ['the status', '/status/replicaStatuses/Worker/active', 1],
  ])('%s', (_title, place, value) => {
    expect(updated(withValue(TF_JOB, place, value))).toEqual(['deny', `replace ${place}`]);
  });

  test.each<[string, string, JsonValue]>([
    ['suspend', '/spec/runPolicy/suspend', true],
    ['the backoff limit of old releases', '/spec/backoffLimit', 5],
    ['a success policy', '/spec/successPolicy', 'AllWorkers'],
    ['who manages the job', '/spec/runPolicy/managedBy', 'kueue.x-k8s.io/multikueue'],
    ['a variable', `${CONTAINER}/env/1`, { name: 'B', value: 'b' }],
    ['tolerations', `${WORKER}/template/spec/tolerations`, [{ operator: 'Exists' }]],
    ['host network', `${WORKER}/template/spec/hostNetwork`, true],
    ['a generated name', '/metadata/generateName', 'x-'],
    ['an unknown key at the top', '/unknown', {}],
    ['an unknown field of the metadata', '/metadata/unknown', 0],
    ['an unknown field of the spec', '/spec/unknown', false],
    ['a field whose name begins like an allowed one', '/spec/cleanPodPolicyX', 'All'],
    ['a field whose name begins like the run policy', '/spec/runPolicyX', { cleanPodPolicy: 'All' }],
    ['a field with the name of an allowed path', '/spec/runPolicy~1cleanPodPolicy', 'All'],
    ['an allowed field in another case', '/spec/CleanPodPolicy', 'All'],
    ['an allowed field in another place', '/cleanPodPolicy', 'All'],
    ['a container', `${WORKER}/template/spec/containers/2`, { name: 'third' }],
  ])('%s, set where there was none', (_title, place, value) => {
    expect(updated(withValue(TF_JOB, place, value))).toEqual(['deny', `add ${place}`]);
  });

  test.each([
    ['the replica specs', '/spec/tfReplicaSpecs'],
    ['the image', `${CONTAINER}/image`],
    ['resources', `${CONTAINER}/resources`],
    ['the status', '/status'],
    ['the name', '/metadata/name'],
  ])('%s, removed', (_title, place) => {
    expect(updated(without(TF_JOB, place))).toEqual(['deny', `remove ${place}`]);
  });

  test('the spec, removed: what lies in it and is not allowed', () => {
    const removed = [
      'deny',
      'remove /spec/runPolicy/backoffLimit',
      'remove /spec/runPolicy/schedulingPolicy',
      'remove /spec/tfReplicaSpecs',
    ];
    expect(updated(without(TF_JOB, '/spec'))).toEqual(removed);
    expect(updated(withValue(TF_JOB, '/spec', null))).toEqual(removed);
    expect(updated(withValue(TF_JOB, '/spec', {}))).toEqual(removed);
  });

  test.each<[string, JsonValue]>([
    ['a list of the same', [{ cleanPodPolicy: 'All' }]],
    ['a text', 'x'],
    ['a number', 0],
    ['an empty list', []],
  ])('the run policy, as %s', (_title, value) => {
    expect(updated(withValue(TF_JOB, '/spec/runPolicy', value))).toEqual(['deny', 'replace /spec/runPolicy']);
  });

  test.each([
    { title: 'an autoscaler that empty metrics would make', field: 'metrics' },
    { title: 'a panic that empty rendezvous settings would make', field: 'rdzvConf' },
  ])('$title', ({ field }) => {
    const place = `/spec/elasticPolicy/${field}`;
    const resource = 'pytorchjobs';
    const changed = withValue(PYTORCH_JOB, place, []);
    expect(verdictOn({ resource, oldObject: PYTORCH_JOB, object: changed })).toEqual(['deny', `add ${place}`]);
    expect(verdictOn({ resource, oldObject: changed, object: PYTORCH_JOB })).toEqual(['deny', `remove ${place}`]);
  });
});

describe('an allowed change and a forbidden one together', () => {
  test('are denied for the forbidden one alone; both are recorded', () => {
    const object = withValue(withValue(TF_JOB, '/metadata/labels/team', 'speech'), `${WORKER}/replicas`, 4);
    const refused = {
      op: 'replace',
      path: ['spec', 'tfReplicaSpecs', 'Worker', 'replicas'],
      oldValue: 2,
      newValue: 4,
      permitted: false,
      exemption: undefined,
    };
    const expected: unknown = {
      outcome: 'deny',
      changes: [
        {
          op: 'replace',
          path: ['metadata', 'labels', 'team'],
          oldValue: 'vision',
          newValue: 'speech',
          permitted: true,
          exemption: undefined,
        },
        refused,
      ],
      denied: [refused],
      deniedCount: 1,
    };
    expect(judge({ oldObject: TF_JOB, object }).decision).toEqual(expected);
  });

  test('of more than 10 000 changes the first are listed, all are judged and counted', () => {
    const fields = Object.fromEntries(
      Array.from({ length: 12_000 }, (_, index) => [`f${String(index).padStart(5, '0')}`, 1]),
    );
    const { decision } = judge(
      { oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/x', fields) },
      policyWith({ allow: ['/spec/x/nothing'] }),
    );
    if (decision.outcome !== 'deny') throw new Error(decision.outcome);
    expect([decision.changes.length, decision.denied.length, decision.deniedCount]).toEqual([10_000, 10_000, 12_000]);
  });

  test('one that is refused is found behind 10 000 that are not', () => {
    const labels = Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`l${index}`, 'x']));
    const object = withValue(withValue(TF_JOB, '/metadata/labels', labels), '/spec/x', 1);
    const { decision } = judge({ oldObject: withValue(TF_JOB, '/metadata/labels', { team: 'vision' }), object });
    if (decision.outcome !== 'deny') throw new Error(decision.outcome);
    expect(decision.denied.map(({ path }) => path)).toEqual([['spec', 'x']]);
  });

  test('fifty forbidden changes are all found, in order', () => {
    const variables = (value: string): JsonValue =>
      Array.from({ length: 50 }, (_, index) => ({ name: `V${index}`, value }));
    const oldObject = withValue(TF_JOB, `${CONTAINER}/env`, variables('a'));
    const object = withValue(TF_JOB, `${CONTAINER}/env`, variables('b'));
    expect(verdictOn({ oldObject, object })).toEqual([
      'deny',
      ...Array.from({ length: 50 }, (_, index) => `replace ${CONTAINER}/env/${index}/value`),
    ]);
  });
});

describe('containers', () => {
  const containers = `${WORKER}/template/spec/containers`;
  const first = { name: 'a', image: 'a:v1' };
  const second = { name: 'b', image: 'b:v1' };
  const list = (...items: JsonMap[]): JsonMap => withValue(TF_JOB, containers, items);

  test.each<[string, JsonMap, JsonMap, string[]]>([
    ['one is appended', list(first), list(first, second), [`add ${containers}/1`]],
    ['one is taken off the end', list(first, second), list(first), [`remove ${containers}/1`]],
    [
      'one is removed at index 0',
      list(first, second),
      list(second),
      [`replace ${containers}/0/image`, `replace ${containers}/0/name`, `remove ${containers}/1`],
    ],
    [
      'they are reordered',
      list(first, second),
      list(second, first),
      [
        `replace ${containers}/0/image`,
        `replace ${containers}/0/name`,
        `replace ${containers}/1/image`,
        `replace ${containers}/1/name`,
      ],
    ],
    ['the only one is removed', list(first), list(), [`remove ${containers}`]],
    ['one becomes null', list(first), withValue(TF_JOB, containers, [null]), [`replace ${containers}/0`]],
  ])('%s', (_title, oldObject, object, denied) => {
    expect(verdictOn({ oldObject, object })).toEqual(['deny', ...denied]);
  });
});

describe('replica types', () => {
  const specs = '/spec/tfReplicaSpecs';
  const chief = { replicas: 1 };

  test.each<[string, JsonMap, string[]]>([
    ['one is added', withValue(TF_JOB, `${specs}/Chief`, chief), [`add ${specs}/Chief`]],
    ['one is removed', without(TF_JOB, `${specs}/PS`), [`remove ${specs}/PS`]],
    ['an empty one is added', withValue(TF_JOB, `${specs}/Chief`, {}), [`add ${specs}/Chief`]],
    [
      'one is renamed',
      withValue(without(TF_JOB, `${specs}/PS`), `${specs}/Chief`, chief),
      [`add ${specs}/Chief`, `remove ${specs}/PS`],
    ],
    [
      'one is renamed in case only',
      withValue(without(TF_JOB, `${specs}/PS`), `${specs}/Ps`, chief),
      [`remove ${specs}/PS`, `add ${specs}/Ps`],
    ],
  ])('%s', (_title, object, denied) => {
    expect(updated(object)).toEqual(['deny', ...denied]);
  });

  test('one that is null is one: the operator dereferences it', () => {
    expect(updated(withValue(TF_JOB, `${specs}/Chief`, null))).toEqual(['deny', `add ${specs}/Chief`]);
  });
});

describe.each<[string, JsonValue]>([
  ['finalizers', ['example.com/cleanup']],
  ['ownerReferences', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u' }]],
])('%s', (field, value) => {
  const place = `/metadata/${field}`;
  const held = withValue(TF_JOB, place, value);
  const terminating = withValue(held, '/metadata/deletionTimestamp', '2024-05-02T08:00:00Z');

  test.each<[string, Review, string[]]>([
    ['may not be added by a user', { oldObject: TF_JOB, object: held }, ['deny', `add ${place}`]],
    ['may not be removed by a user', { oldObject: held, object: TF_JOB }, ['deny', `remove ${place}`]],
    [
      'may be removed by anybody while the job terminates',
      { oldObject: terminating, object: without(terminating, place) },
      ['allow'],
    ],
    [
      'may be emptied while the job terminates',
      { oldObject: terminating, object: withValue(terminating, place, []) },
      ['allow'],
    ],
    [
      'may be added while the job terminates',
      { oldObject: without(terminating, place), object: terminating },
      ['allow'],
    ],
    [
      'may not be removed along with a deletion that only the new job has',
      { oldObject: held, object: without(terminating, place) },
      ['deny', `remove ${place}`],
    ],
    [
      'may not be removed while the deletion timestamp is null',
      { oldObject: withValue(held, '/metadata/deletionTimestamp', null), object: TF_JOB },
      ['deny', `remove ${place}`],
    ],
    [
      'may be removed by the garbage collector',
      { oldObject: held, object: TF_JOB, username: GARBAGE_COLLECTOR },
      ['exempt', 'garbageCollector'],
    ],
    [
      'may be removed by the controller manager, which collects garbage',
      { oldObject: held, object: TF_JOB, username: CONTROLLER_MANAGER },
      ['exempt', 'garbageCollector'],
    ],
    [
      'may be added by the garbage collector',
      { oldObject: TF_JOB, object: held, username: GARBAGE_COLLECTOR },
      ['exempt', 'garbageCollector'],
    ],
    [
      'may be removed by it while the job terminates, with no need of an exemption',
      { oldObject: terminating, object: without(terminating, place), username: GARBAGE_COLLECTOR },
      ['allow'],
    ],
    [
      'may not be removed by a name that begins like its',
      { oldObject: held, object: TF_JOB, username: `${GARBAGE_COLLECTOR}2` },
      ['deny', `remove ${place}`],
    ],
    [
      'may not be removed by it in a group',
      { oldObject: held, object: TF_JOB, groups: [GARBAGE_COLLECTOR] },
      ['deny', `remove ${place}`],
    ],
  ])('%s', (_title, review, verdict) => {
    expect(verdictOn(review)).toEqual(verdict);
  });

  test('are the garbage collector’s, and nothing else is', () => {
    const object = withValue(without(held, place), `${WORKER}/replicas`, 3);
    expect(verdictOn({ oldObject: held, object, username: GARBAGE_COLLECTOR })).toEqual([
      'deny',
      `replace ${WORKER}/replicas`,
    ]);
  });

  test('are protected from it where the preset is off', () => {
    const policy = policyWith({ presets: { garbageCollector: false } });
    expect(verdictOn({ oldObject: held, object: TF_JOB, username: GARBAGE_COLLECTOR }, policy)).toEqual([
      'deny',
      `remove ${place}`,
    ]);
  });
});

describe('a job that terminates', () => {
  const terminating = withValue(
    withValue(TF_JOB, '/metadata/deletionTimestamp', '2024-05-02T08:00:00Z'),
    '/metadata/finalizers',
    ['a', 'b'],
  );

  test.each<[string, JsonMap, string[]]>([
    [
      'its spec stays as it is',
      withValue(terminating, `${WORKER}/replicas`, 3),
      ['deny', `replace ${WORKER}/replicas`],
    ],
    ['its name too', withValue(terminating, '/metadata/name', 'x'), ['deny', 'replace /metadata/name']],
    ['one of its finalizers may go', withValue(terminating, '/metadata/finalizers', ['b']), ['allow']],
    ['its labels may change', withValue(terminating, '/metadata/labels/a', 'b'), ['allow']],
    [
      'a finalizer and a forbidden change are denied for the latter',
      withValue(withValue(terminating, '/metadata/finalizers', []), '/spec/x', 1),
      ['deny', 'add /spec/x'],
    ],
  ])('%s', (_title, object, verdict) => {
    expect(verdictOn({ oldObject: terminating, object })).toEqual(verdict);
  });

  test('has all of its metadata removed only where that may go', () => {
    expect(verdictOn({ oldObject: terminating, object: without(terminating, '/metadata') })).toEqual([
      'deny',
      'remove /metadata/name',
      'remove /metadata/namespace',
    ]);
  });
});

describe('Kueue', () => {
  const template = '/spec/pytorchReplicaSpecs/Worker/template';
  const written: [string, JsonValue][] = [
    ['/spec/runPolicy/suspend', false],
    [`${template}/metadata/labels`, { 'kueue.x-k8s.io/podset': 'worker' }],
    [`${template}/metadata/annotations`, { 'kueue.x-k8s.io/workload': 'bert' }],
    [`${template}/spec/nodeSelector`, { pool: 'gpu' }],
    [`${template}/spec/tolerations`, [{ key: 'gpu', operator: 'Exists' }]],
    [`${template}/spec/schedulingGates`, [{ name: 'kueue.x-k8s.io/topology' }]],
  ];
  const running = written.reduce((job, [place, value]) => withValue(job, place, value), PYTORCH_JOB);
  const start: Review = { resource: 'pytorchjobs', oldObject: PYTORCH_JOB, object: running };
  const stop: Review = { resource: 'pytorchjobs', oldObject: running, object: PYTORCH_JOB };
  const on = policyWith({ presets: { kueue: true } });
  const inTemplate = (op: string): string[] =>
    ['metadata', 'spec/nodeSelector', 'spec/schedulingGates', 'spec/tolerations'].map(
      (field) => `${op} ${template}/${field}`,
    );

  test('starts a job in one request where its preset is on', () => {
    expect(verdictOn({ ...start, username: KUEUE }, on)).toEqual(['exempt', 'kueue']);
  });

  test('stops it again', () => {
    expect(verdictOn({ ...stop, username: KUEUE }, on)).toEqual(['exempt', 'kueue']);
  });

  test('does so under a name that the policy gives, and then under no other', () => {
    const policy = policyWith({ presets: { kueue: { usernames: ['system:serviceaccount:queues:*'] } } });
    const username = 'system:serviceaccount:queues:kueue';
    expect(verdictOn({ ...start, username }, policy)).toEqual(['exempt', 'kueue']);
    expect(verdictOn({ ...start, username: KUEUE }, policy)[0]).toBe('deny');
  });

  test('does neither where its preset is off', () => {
    const suspend = '/spec/runPolicy/suspend';
    expect(verdictOn({ ...start, username: KUEUE })).toEqual(['deny', ...inTemplate('add'), `remove ${suspend}`]);
    expect(verdictOn({ ...stop, username: KUEUE })).toEqual(['deny', ...inTemplate('remove'), `add ${suspend}`]);
  });

  test('is nobody else', () => {
    expect(verdictOn({ ...start, username: 'jane' }, on)[0]).toBe('deny');
    expect(verdictOn({ ...start, username: 'jane', groups: [KUEUE] }, on)[0]).toBe('deny');
    expect(verdictOn({ ...stop, username: 'system:serviceaccount:kueue-system:other' }, on)[0]).toBe('deny');
    const onOpenShift = 'system:serviceaccount:openshift-kueue-operator:kueue-controller-manager';
    expect(verdictOn({ ...start, username: onOpenShift }, on)[0]).toBe('deny');
  });

  test('does nothing else, not even on the way', () => {
    const object = withValue(running, `${template}/spec/containers/0/image`, 'evil:v1');
    expect(verdictOn({ ...start, object, username: KUEUE }, on)).toEqual([
      'deny',
      `replace ${template}/spec/containers/0/image`,
    ]);
  });

  test('needs no exemption to set a label', () => {
    const object = withValue(PYTORCH_JOB, '/metadata/labels', { a: 'b' });
    expect(verdictOn({ ...start, object, username: KUEUE }, on)).toEqual(['allow']);
  });
});

describe('Flyte', () => {
  const held = withValue(TF_JOB, '/metadata/finalizers', ['flyte/flytek8s']);

  test.each<[string, Review, boolean, string[]]>([
    [
      'sets its finalizer where its preset is on',
      { oldObject: TF_JOB, object: held, username: FLYTE },
      true,
      ['exempt', 'flyte'],
    ],
    [
      'does not where it is off',
      { oldObject: TF_JOB, object: held, username: FLYTE },
      false,
      ['deny', 'add /metadata/finalizers'],
    ],
    [
      'sets no owner',
      { oldObject: TF_JOB, object: withValue(TF_JOB, '/metadata/ownerReferences', [{}]), username: FLYTE },
      true,
      ['deny', 'add /metadata/ownerReferences'],
    ],
  ])('%s', (_title, review, flyte, verdict) => {
    expect(verdictOn(review, policyWith({ presets: { flyte } }))).toEqual(verdict);
  });
});

describe('exempted writers', () => {
  const policy = policyWith({
    presets: { kueue: true },
    exemptions: [
      { name: 'admins', groups: ['platform:*'], paths: ['/spec/runPolicy/suspend', '/spec/runPolicy/backoffLimit'] },
      {
        name: 'resizers',
        usernames: ['jane', 'system:serviceaccount:ml:*'],
        namespaces: ['res*'],
        paths: ['/spec/*/*/replicas'],
      },
      { name: 'run', usernames: ['boss'], paths: ['/spec/runPolicy'] },
      { name: 'future', usernames: ['ops'], paths: ['/spec/future/a'] },
      { name: 'all', usernames: ['root'], paths: ['/spec/tfReplicaSpecs'] },
    ],
  });
  const suspended = withValue(TF_JOB, '/spec/runPolicy/suspend', true);
  const resized = withValue(TF_JOB, `${WORKER}/replicas`, 5);
  const both = withValue(suspended, `${WORKER}/replicas`, 5);

  test.each<[string, JsonMap, Review, string[]]>([
    ['are known by their group', suspended, { groups: ['platform:admins'] }, ['exempt', 'admins']],
    ['are known by one of several groups', suspended, { groups: ['a', 'platform:sre'] }, ['exempt', 'admins']],
    ['are known by their name', resized, { username: 'jane' }, ['exempt', 'resizers']],
    [
      'are known by a glob of their name',
      resized,
      { username: 'system:serviceaccount:ml:tuner' },
      ['exempt', 'resizers'],
    ],
    ['have their paths united', both, { username: 'jane', groups: ['platform:sre'] }, ['exempt', 'admins', 'resizers']],
    [
      'have no more than their paths',
      both,
      { username: 'john', groups: ['platform:sre'] },
      ['deny', `replace ${WORKER}/replicas`],
    ],
    [
      'have them in their namespaces alone',
      resized,
      { username: 'jane', namespace: 'prod' },
      ['deny', `replace ${WORKER}/replicas`],
    ],
    [
      'are not known by their name in a group',
      resized,
      { username: 'x', groups: ['jane'] },
      ['deny', `replace ${WORKER}/replicas`],
    ],
    [
      'may change what everybody may, and need nothing for it',
      withValue(TF_JOB, '/metadata/labels', {}),
      { username: 'jane' },
      ['allow'],
    ],
    [
      'are named only where they were needed',
      withValue(suspended, '/metadata/labels', {}),
      { username: 'jane', groups: ['platform:a'] },
      ['exempt', 'admins'],
    ],
    [
      'are not needed for what everybody may change in a subtree of theirs',
      withValue(TF_JOB, '/spec/runPolicy/cleanPodPolicy', 'All'),
      { username: 'boss' },
      ['allow'],
    ],
    [
      'may do to a whole subtree what covers it',
      without(TF_JOB, '/spec/tfReplicaSpecs'),
      { username: 'root' },
      ['exempt', 'all'],
    ],
    ['may be nobody at all', resized, { username: '', groups: [] }, ['deny', `replace ${WORKER}/replicas`]],
  ])('%s', (_title, object, review, verdict) => {
    expect(verdictOn({ oldObject: TF_JOB, object, ...review }, policy)).toEqual(verdict);
  });

  test('are not needed for a new run policy in which is only what everybody may change', () => {
    const oldObject = without(TF_JOB, '/spec/runPolicy');
    const added = (runPolicy: JsonMap): Review => ({
      oldObject,
      object: withValue(oldObject, '/spec/runPolicy', runPolicy),
      username: 'boss',
    });
    expect(verdictOn(added({ cleanPodPolicy: 'All' }), policy)).toEqual(['allow']);
    expect(verdictOn(added({ cleanPodPolicy: 'All', backoffLimit: 1 }), policy)).toEqual(['exempt', 'run']);
    expect(verdictOn(added({ backoffLimit: 1 }), policy)).toEqual(['exempt', 'run']);
  });

  test('are recorded with each change that they were needed for', () => {
    const { decision } = judge({ oldObject: TF_JOB, object: both, username: 'jane', groups: ['platform:a'] }, policy);
    const expected: Decision = {
      outcome: 'exempt',
      changes: [
        {
          op: 'add',
          path: ['spec', 'runPolicy', 'suspend'],
          oldValue: false,
          newValue: true,
          permitted: true,
          exemption: 'admins',
        },
        {
          op: 'replace',
          path: ['spec', 'tfReplicaSpecs', 'Worker', 'replicas'],
          oldValue: 2,
          newValue: 5,
          permitted: true,
          exemption: 'resizers',
        },
      ],
      exemptions: ['admins', 'resizers'],
    };
    expect(decision).toEqual(expected);
  });

  test('make one descend only where they apply', () => {
    const object = withValue(TF_JOB, '/spec/future', { a: 1, b: 2 });
    expect(verdictOn({ oldObject: TF_JOB, object, username: 'john' }, policy)).toEqual(['deny', 'add /spec/future']);
    expect(verdictOn({ oldObject: TF_JOB, object, username: 'ops' }, policy)).toEqual(['deny', 'add /spec/future/b']);
  });
});

describe('an entry that comes or goes is itself the change', () => {
  interface Row {
    readonly title: string;
    readonly allow: readonly string[];
    readonly oldObject: JsonValue;
    readonly object: JsonValue;
    readonly verdict: readonly string[];
  }
  const specs = '/spec/tfReplicaSpecs';
  const annotated = { template: { metadata: { annotations: { a: 'b' } } } };
  const future = withValue(TF_JOB, '/spec/future', { a: { replicas: 1 } });
  const rows: readonly Row[] = [
    {
      title: 'a replica type made of nothing but what may change is not added',
      allow: [`${specs}/*/template/metadata/annotations`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${specs}/Evaluator`, annotated),
      verdict: ['deny', `add ${specs}/Evaluator`],
    },
    {
      title: 'nor is it removed',
      allow: [`${specs}/*/template/metadata/annotations`],
      oldObject: withValue(TF_JOB, `${specs}/Evaluator`, annotated),
      object: TF_JOB,
      verdict: ['deny', `remove ${specs}/Evaluator`],
    },
    {
      title: 'nor is one whose field is allowed by its name',
      allow: [`${specs}/Evaluator/replicas`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${specs}/Evaluator`, { replicas: 1 }),
      verdict: ['deny', `add ${specs}/Evaluator`],
    },
    {
      title: 'a container made of nothing but what may change is not added',
      allow: [`${WORKER}/template/spec/containers/*/image`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${WORKER}/template/spec/initContainers`, [{ image: 'a' }]),
      verdict: ['deny', `add ${WORKER}/template/spec/initContainers`],
    },
    {
      title: 'nor is one that is allowed by its index',
      allow: [`${WORKER}/template/spec/initContainers/0/image`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${WORKER}/template/spec/initContainers`, [{ image: 'a' }]),
      verdict: ['deny', `add ${WORKER}/template/spec/initContainers/0`],
    },
    {
      title: 'what a star stands for is not added, though Go does not know it',
      allow: ['/spec/future/*/replicas'],
      oldObject: future,
      object: withValue(future, '/spec/future/b', { replicas: 1 }),
      verdict: ['deny', 'add /spec/future/b'],
    },
    {
      title: 'what was there may change below the star',
      allow: ['/spec/future/*/replicas'],
      oldObject: future,
      object: withValue(future, '/spec/future/a', { replicas: 2 }),
      verdict: ['allow'],
    },
    {
      title: 'it is added where a path ends at it',
      allow: [`${specs}/*`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${specs}/Evaluator`, annotated),
      verdict: ['allow'],
    },
    {
      title: 'it is added where a path ends above it',
      allow: [`${WORKER}/template/spec/nodeSelector`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${WORKER}/template/spec/nodeSelector`, { gpu: null }),
      verdict: ['allow'],
    },
    {
      title: 'structs between are no entries: there one descends',
      allow: [`${specs}/*/template/metadata/annotations`],
      oldObject: without(TF_JOB, `${WORKER}/template/metadata`),
      object: withValue(TF_JOB, `${WORKER}/template/metadata`, { annotations: { a: 'b' } }),
      verdict: ['allow'],
    },
    {
      title: 'a path with a star grants nothing in what another path lets come',
      allow: ['/spec/*/a', '/spec/future/b'],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, '/spec/future', { a: 1, b: 1 }),
      verdict: ['deny', 'add /spec/future/a'],
    },
  ];
  test.each(rows)('$title', ({ allow, oldObject, object, verdict }) => {
    expect(verdictOn({ oldObject, object }, policyWith({ allow: [...allow] }))).toEqual(verdict);
  });
});

describe('suspended jobs', () => {
  const policy = policyWith({ suspendedJobs: true });
  const suspended = withValue(TF_JOB, '/spec/runPolicy/suspend', true);
  const edited = withValue(suspended, `${CONTAINER}/image`, 'other:v1');

  test.each<[string, Review, string[]]>([
    ['may be edited', { oldObject: suspended, object: edited }, ['allow']],
    ['may be resumed', { oldObject: suspended, object: TF_JOB }, ['allow']],
    ['may lose their spec', { oldObject: suspended, object: without(suspended, '/spec') }, ['allow']],
    [
      'stay protected outside their spec',
      { oldObject: suspended, object: withValue(suspended, '/metadata/finalizers', ['a']) },
      ['deny', 'add /metadata/finalizers'],
    ],
    [
      'are those that are stored as such: none may be suspended on the way',
      { oldObject: TF_JOB, object: edited },
      ['deny', 'add /spec/runPolicy/suspend', `replace ${CONTAINER}/image`],
    ],
    [
      'are those whose suspend is true, not "true"',
      { oldObject: withValue(TF_JOB, '/spec/runPolicy/suspend', 'true'), object: TF_JOB },
      ['deny', 'remove /spec/runPolicy/suspend'],
    ],
  ])('%s', (_title, review, verdict) => {
    expect(verdictOn(review, policy)).toEqual(verdict);
  });

  test('are protected as others are where the policy does not say so', () => {
    expect(verdictOn({ oldObject: suspended, object: edited })).toEqual(['deny', `replace ${CONTAINER}/image`]);
  });

  test('may be paused and resumed by all where the policy allows that path', () => {
    const pausing = policyWith({ allow: ['/spec/runPolicy/suspend'] });
    expect(verdictOn({ oldObject: TF_JOB, object: suspended }, pausing)).toEqual(['allow']);
    expect(verdictOn({ oldObject: suspended, object: edited }, pausing)).toEqual([
      'deny',
      `replace ${CONTAINER}/image`,
    ]);
  });
});

describe('the scale subresource', () => {
  const replicas = '/spec/pytorchReplicaSpecs/Worker/replicas';
  const scale = (spec: string): string => `{"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": ${spec}}`;
  const scaled = (before: string, after: string, review: Review = {}): Review => ({
    resource: 'pytorchjobs',
    subResource: 'scale',
    oldObject: scale(before),
    object: scale(after),
    ...review,
  });
  const on = policyWith({ presets: { horizontalPodAutoscaler: true } });
  const twoToThree = scaled('{"replicas": 2}', '{"replicas": 3}');

  test('2 → 3 is the change of the job’s own field', () => {
    const change = {
      op: 'replace',
      path: ['spec', 'pytorchReplicaSpecs', 'Worker', 'replicas'],
      oldValue: 2,
      newValue: 3,
      permitted: false,
      exemption: undefined,
    } as const;
    const expected: Decision = { outcome: 'deny', changes: [change], denied: [change], deniedCount: 1 };
    expect(judge(twoToThree).decision).toEqual(expected);
  });

  test.each<[string, Review, string[]]>([
    ['unchanged', scaled('{"replicas": 2}', '{"replicas": 2}'), ['allow']],
    ['the same number written otherwise', scaled('{"replicas": 2}', '{"replicas": 2.0}'), ['allow']],
    ['absent is 0', scaled('{}', '{"replicas": 0}'), ['allow']],
    ['null is 0', scaled('{"replicas": null}', '{"replicas": 0}'), ['allow']],
    ['no spec is 0', scaled('null', '{"replicas": 0}'), ['allow']],
    ['from none to one', scaled('{}', '{"replicas": 1}'), ['deny', `replace ${replicas}`]],
    ['from one to none', scaled('{"replicas": 1}', '{}'), ['deny', `replace ${replicas}`]],
    [
      'numbers past 2^53',
      scaled('{"replicas": 9007199254740992}', '{"replicas": 9007199254740993}'),
      ['deny', `replace ${replicas}`],
    ],
    ['by the autoscaler whose preset is off', { ...twoToThree, username: AUTOSCALER }, ['deny', `replace ${replicas}`]],
  ])('%s', (_title, review, verdict) => {
    expect(verdictOn(review)).toEqual(verdict);
  });

  test.each<[string, Review, string[]]>([
    ['by the autoscaler', { username: AUTOSCALER }, ['exempt', 'horizontalPodAutoscaler']],
    [
      'by the controller manager, which scales',
      { username: CONTROLLER_MANAGER },
      ['exempt', 'horizontalPodAutoscaler'],
    ],
    ['by a user', { username: 'jane' }, ['deny', `replace ${replicas}`]],
  ])('where the autoscaler’s preset is on, %s', (_title, review, verdict) => {
    expect(verdictOn({ ...twoToThree, ...review }, on)).toEqual(verdict);
  });

  test('what a Scale says besides is not the job’s', () => {
    const oldObject = '{"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 2}, "status": {"replicas": 1}}';
    const object = '{"metadata": {"finalizers": ["x"]}, "spec": {"replicas": 2, "x": 1}, "status": {"replicas": 2}}';
    expect(verdictOn(scaled('', '', { oldObject, object }))).toEqual(['allow']);
  });

  test('the policy’s path counts as on the job itself', () => {
    const policy = policyWith({ allow: ['/spec/pytorchReplicaSpecs/*/replicas'] });
    expect(verdictOn(twoToThree, policy)).toEqual(['allow']);
  });

  test('without a path for it, it cannot be judged', () => {
    expect(judge(scaled('{"replicas": 2}', '{"replicas": 2}', { resource: 'tfjobs' })).decision).toEqual({
      outcome: 'unjudgeable',
      reason: 'noScalePath',
    });
  });

  test.each([
    ['text', '{"replicas": "3"}'],
    ['a boolean', '{"replicas": true}'],
    ['a list', '{"replicas": [3]}'],
    ['in a spec that is a list', '[]'],
    ['in a spec that is text', '"x"'],
  ])('replicas that are %s cannot be judged', (_title, spec) => {
    const expected: Decision = { outcome: 'unjudgeable', reason: 'noReplicas' };
    expect(judge(scaled('{"replicas": 3}', spec)).decision).toEqual(expected);
    expect(judge(scaled(spec, '{"replicas": 3}')).decision).toEqual(expected);
  });
});

describe('what is not judged', () => {
  const change: Review = { oldObject: TF_JOB, object: withValue(TF_JOB, `${WORKER}/replicas`, 9) };

  test.each<[string, Review]>([
    ['the status', { ...change, subResource: 'status' }],
    ['the status of a kind that is not guarded', { ...change, resource: 'pods', subResource: 'status' }],
    ['a creation', { ...change, operation: 'CREATE', oldObject: null }],
    ['a deletion', { ...change, operation: 'DELETE', object: null }],
    ['a deletion of old servers, with neither object', { operation: 'DELETE', oldObject: null, object: null }],
    ['a connection', { ...change, operation: 'CONNECT', subResource: 'proxy' }],
    ['an operation that there is not yet', { ...change, operation: 'PATCH' }],
    ['pods', { ...change, group: '', resource: 'pods' }],
    ['a subresource of pods', { ...change, group: '', resource: 'pods', subResource: 'exec' }],
    ['the kinds of another group', { ...change, group: 'example.com' }],
    ['a kind of the group that the policy does not guard', { ...change, resource: 'mpijobs' }],
    ['a kind in another case', { ...change, resource: 'TFJobs' }],
    ['a resource called constructor', { ...change, resource: 'constructor' }],
    ['an update of something else, without objects', { resource: 'pods', oldObject: null, object: null }],
  ])('%s', (_title, review) => {
    expect(judge(review).decision).toEqual({ outcome: 'out_of_scope' });
  });

  test.each<[string, Review, GuardedResource | undefined]>([
    ['the status names its resource', { ...change, subResource: 'status' }, TF_JOBS],
    ['a kind that is not guarded names none', { ...change, resource: 'mpijobs' }, undefined],
  ])('the verdict on %s', (_title, review, resource) => {
    expect(judge(review).resource).toBe(resource);
  });

  test('a resource and its group are not one text', () => {
    expect(judge({ ...change, group: 'kubeflow.org/tfjobs', resource: '' }).decision).toEqual({
      outcome: 'out_of_scope',
    });
  });
});

describe('what cannot be judged', () => {
  test.each<[string, Review, UnjudgeableReason]>([
    ['no new object', { oldObject: TF_JOB, object: null }, 'noObjects'],
    ['no old object', { oldObject: null, object: TF_JOB }, 'noObjects'],
    ['a list for an object', { oldObject: TF_JOB, object: [] }, 'noObjects'],
    ['a text for an object', { oldObject: '"job"', object: TF_JOB }, 'noObjects'],
    ['a number for an object', { oldObject: '12345678901234567890', object: TF_JOB }, 'noObjects'],
    ['another subresource', { subResource: 'exec', oldObject: TF_JOB, object: TF_JOB }, 'unknownSubresource'],
    [
      'a subresource in another case',
      { subResource: 'Status', oldObject: TF_JOB, object: TF_JOB },
      'unknownSubresource',
    ],
    [
      'a scale without objects',
      { resource: 'pytorchjobs', subResource: 'scale', oldObject: null, object: null },
      'noObjects',
    ],
  ])('%s', (_title, review, reason) => {
    expect(judge(review).decision).toEqual({ outcome: 'unjudgeable', reason });
  });
});

describe('modes and dry runs', () => {
  const review: Review = { oldObject: TF_JOB, object: withValue(TF_JOB, `${WORKER}/replicas`, 9) };
  const policy = policyWith({
    mode: 'warn',
    namespaceModes: [
      { namespaces: ['sandbox-*', 'research'], mode: 'audit' },
      { namespaces: ['sandbox-strict', 'prod'], mode: 'enforce' },
    ],
  });

  test.each([
    ['other', 'warn'],
    ['research', 'audit'],
    ['sandbox-strict', 'audit'],
    ['prod', 'enforce'],
    ['', 'warn'],
  ])('namespace "%s" is in mode %s, and the verdict is the same', (namespace, mode) => {
    const verdict = judge({ ...review, namespace }, policy);
    expect(verdict).toEqual({ ...judge(review), mode });
  });

  test('a dry run has the verdict of the real one', () => {
    expect(judge({ ...review, dryRun: true })).toEqual(judge(review));
  });

  test('a request judged twice has the same verdict twice', () => {
    const request = requestOf(review);
    expect(decide(DEFAULT_POLICY, request)).toEqual(decide(DEFAULT_POLICY, request));
  });
});

describe('the jobs of the documentation, byte for byte', () => {
  const fixture = (name: string): string => readFileSync(new URL(`../fixtures/jobs/${name}`, import.meta.url), 'utf8');

  test.each([
    ['tfjobs', 'tfjob'],
    ['pytorchjobs', 'pytorchjob'],
  ])('%s: the patch of its labels is allowed', (resource, file) => {
    const oldObject = fixture(`${file}.json`);
    const patch = parseJson(fixture(`${file}-patch.json`));
    const patched = mergePatched(parseJson(oldObject), patch);
    expect(verdictOn({ resource, oldObject, object: patched })).toEqual(['allow']);

    const other = mergePatched(patched, { metadata: { labels: { app: 'other' } } });
    const { decision } = judge({ resource, oldObject, object: other });
    expect(decision).toEqual({
      outcome: 'allow',
      changes: [
        {
          op: 'replace',
          path: ['metadata', 'labels', 'app'],
          oldValue: 'test',
          newValue: 'other',
          permitted: true,
          exemption: undefined,
        },
      ],
    });
  });

  test.each([
    ['tfjobs', 'tfjob'],
    ['pytorchjobs', 'pytorchjob'],
  ])('%s: the replacement is allowed, with what the server owns sent back', (resource, file) => {
    const stored = mergePatched(parseJson(fixture(`${file}.json`)), { status: null });
    expect(verdictOn({ resource, oldObject: stored, object: fixture(`${file}-replacement.json`) })).toEqual(['allow']);
  });

  test.each([
    ['tfjobs', 'tfjob', '/spec/tfReplicaSpecs/Worker/replicas'],
    ['pytorchjobs', 'pytorchjob', '/spec/pytorchReplicaSpecs/Worker/replicas'],
  ])('%s: more workers are denied', (resource, file, place) => {
    const oldObject = parseJson(fixture(`${file}.json`));
    const object = isMap(oldObject) ? withValue(oldObject, place, 2) : null;
    expect(verdictOn({ resource, oldObject, object })).toEqual(['deny', `replace ${place}`]);
  });
});

describe('keys of any kind', () => {
  const keys: [string, string][] = [
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['', ''],
    ['a/b~c', 'a~1b~0c'],
    ['a.b', 'a.b'],
    ['\u2028', '\u2028'],
    ['\u{1f600}', '\u{1f600}'],
  ];
  const object = (place: string, key: string, value: string): string =>
    `{"metadata": ${place === 'labels' ? `{"labels": {${JSON.stringify(key)}: ${value}}}` : '{}'},
      "spec": ${place === 'spec' ? `{${JSON.stringify(key)}: ${value}}` : '{}'}}`;

  describe.each(keys)('%j', (key, segment) => {
    test.each([
      ['added', '{}', object('spec', key, '"b"'), 'add'],
      ['changed', object('spec', key, '"a"'), object('spec', key, '"b"'), 'replace'],
      ['removed', object('spec', key, '"a"'), '{}', 'remove'],
    ])('is denied in the spec when %s', (_title, oldObject, newObject, op) => {
      expect(verdictOn({ oldObject, object: newObject })).toEqual(['deny', `${op} /spec/${segment}`]);
    });

    test.each([
      ['added', '{}', object('labels', key, '"b"')],
      ['changed', object('labels', key, '"a"'), object('labels', key, '"b"')],
      ['removed', object('labels', key, '"a"'), '{}'],
    ])('is allowed in labels when %s', (_title, oldObject, newObject) => {
      const { decision } = judge({ oldObject, object: newObject });
      expect(decision).toMatchObject({ outcome: 'allow', changes: [{ permitted: true }] });
    });

    test('is denied at the top', () => {
      const newObject = `{${JSON.stringify(key)}: {"labels": {}}}`;
      expect(verdictOn({ oldObject: '{}', object: newObject })).toEqual(['deny', `add /${segment}`]);
    });
  });
});

describe('numbers', () => {
  const spec = (number: string): string => `{"spec": {"unknown": ${number}}}`;

  test.each([
    ['1', '1.0'],
    ['1', '1e0'],
    ['0', '-0'],
    ['1e400', '10e399'],
    ['12345678901234567890', '12345678901234567890.00'],
    ['100', '1E2'],
  ])('%s and %s are the same', (before, after) => {
    expect(verdictOn({ oldObject: spec(before), object: spec(after) })).toEqual(['allow']);
  });

  test.each([
    ['9007199254740992', '9007199254740993'],
    ['1', '1.0000000000000001'],
    ['1e400', '1e401'],
    ['1e-400', '0'],
    ['12345678901234567890', '12345678901234567891'],
    ['1', '"1"'],
    ['0', 'false'],
  ])('%s and %s are not', (before, after) => {
    expect(verdictOn({ oldObject: spec(before), object: spec(after) })).toEqual(['deny', 'replace /spec/unknown']);
  });

  test('a quantity that nobody could write out is compared all the same', () => {
    const limit = (cpu: string): JsonMap => withValue(TF_JOB, `${CONTAINER}/resources/limits/cpu`, cpu);
    expect(verdictOn({ oldObject: limit('1e100000000'), object: limit('10e99999999') })).toEqual(['allow']);
    expect(verdictOn({ oldObject: limit('1e100000000'), object: limit('1e100000001') })).toEqual([
      'deny',
      `replace ${CONTAINER}/resources/limits/cpu`,
    ]);
  });

  test('that a double cannot hold are recorded to the last digit', () => {
    const { decision } = judge({ oldObject: spec('1'), object: spec('9007199254740993') });
    expect(decision).toMatchObject({ changes: [{ oldValue: 1, newValue: new ExactNumber('9007199254740993') }] });
  });
});

describe('a policy of one’s own', () => {
  const policy = policyWith({
    allow: ['/metadata/labels', '/spec/roles/*/template/spec/containers/*/image', '/spec/list/1'],
    resources: [
      {
        group: 'example.com',
        resource: 'trainings',
        podTemplates: ['/spec/roles/*/template'],
        scaleReplicasPath: '/spec/roles/main/replicas',
        allow: ['/spec/pause'],
      },
      { group: 'kubeflow.org', resource: 'mpijobs' },
    ],
  });
  const training = (spec: string): string => `{"metadata": {}, "spec": ${spec}}`;
  const container = (fields: string): string =>
    training(`{"roles": {"main": {"replicas": 1, "template": {"spec": {"containers": [${fields}]}}}}}`);
  const review: Review = { group: 'example.com', resource: 'trainings' };
  const place = '/spec/roles/main/template/spec/containers/0';

  test.each<[string, string, string, string[]]>([
    ['a resource’s own path is allowed', training('{}'), training('{"pause": true}'), ['allow']],
    ['a star stands for a key and for an index', container('{"image": "a"}'), container('{"image": "b"}'), ['allow']],
    [
      'what stands beside it is denied',
      container('{"image": "a"}'),
      container('{"image": "a", "command": ["b"]}'),
      ['deny', `add ${place}/command`],
    ],
    [
      'a container that is added is one change, whatever may change in it',
      container('{}'),
      container('{}, {"image": "a", "name": "b"}'),
      ['deny', 'add /spec/roles/main/template/spec/containers/1'],
    ],
    ['an item may be allowed by its index', training('{"list": [1, 2]}'), training('{"list": [1, 3]}'), ['allow']],
    ['and another not', training('{"list": [1, 2]}'), training('{"list": [2, 3]}'), ['deny', 'replace /spec/list/0']],
    ['a field of a pod template that is zero is absent', container('{"tty": false}'), container('{}'), ['allow']],
    ['a field elsewhere that is zero is not', training('{"tty": false}'), training('{}'), ['deny', 'remove /spec/tty']],
    [
      'the default paths are no longer allowed',
      training('{}'),
      training('{"cleanPodPolicy": "All"}'),
      ['deny', 'add /spec/cleanPodPolicy'],
    ],
  ])('%s', (_title, oldObject, object, verdict) => {
    expect(verdictOn({ ...review, oldObject, object }, policy)).toEqual(verdict);
  });

  test('a resource’s own path is not allowed in another', () => {
    const update = { resource: 'mpijobs', oldObject: training('{}'), object: training('{"pause": true}') };
    expect(verdictOn(update, policy)).toEqual(['deny', 'add /spec/pause']);
  });

  test('the default resources are no longer guarded', () => {
    expect(verdictOn({ oldObject: '{}', object: '{"a": 1}' }, policy)).toEqual(['out_of_scope']);
  });

  test('a kind of Kubeflow is known throughout, without a line of code', () => {
    const update = {
      resource: 'mpijobs',
      oldObject: training('{}'),
      object: training('{"runPolicy": {"suspend": false}}'),
    };
    expect(verdictOn(update, policy)).toEqual(['allow']);
  });

  test('its replicas are judged by its own path', () => {
    const scaled = { ...review, subResource: 'scale', oldObject: training('{"replicas": 1}'), object: training('{}') };
    expect(verdictOn(scaled, policy)).toEqual(['deny', 'replace /spec/roles/main/replicas']);
  });
});
