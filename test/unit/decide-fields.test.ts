import { describe, expect, test } from '@jest/globals';
import { type JsonMap, type JsonValue } from '../../src/core/json.ts';
import { guardedResource } from '../../src/core/policy.ts';
import { PYTORCH_JOB, TF_JOB, withValue, without } from '../support/job.ts';
import { DEFAULT_POLICY, judge, policyWith, verdictOn, type Review } from '../support/review.ts';

const TF_JOBS = guardedResource(DEFAULT_POLICY, 'kubeflow.org', 'tfjobs');
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

  test.each([
    { levels: 10, listed: 10_000 },
    { levels: 100, listed: 1_960 },
    { levels: 10_000, listed: 19 },
  ])('of changes at $levels levels $listed are listed, all are judged and counted', ({ levels, listed }) => {
    const nested = (item: string): string => {
      const items = Array.from({ length: 12_000 }, () => item).join(',');
      return `{"spec": {"x": ${'['.repeat(levels)}${items}${']'.repeat(levels)}}}`;
    };
    const { decision } = judge({ oldObject: nested('1'), object: nested('2') });
    if (decision.outcome !== 'deny') throw new Error(decision.outcome);
    expect([decision.changes.length, decision.denied.length, decision.deniedCount]).toEqual([listed, listed, 12_000]);
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
