import { describe, expect, test } from '@jest/globals';
import { type Decision } from '../../src/core/decide.ts';
import { type JsonMap, type JsonValue } from '../../src/core/json.ts';
import { PYTORCH_JOB, TF_JOB, withValue, without } from '../support/job.ts';
import { judge, policyWith, verdictOn, type Review } from '../support/review.ts';

const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';
const FLYTE = 'system:serviceaccount:flyte:flytepropeller';
const WORKER = '/spec/tfReplicaSpecs/Worker';

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
