import { describe, expect, test } from '@jest/globals';
import { type JsonMap, type JsonValue } from '../../src/core/json.ts';
import { TF_JOB, withValue, without } from '../support/job.ts';
import { policyWith, verdictOn, type Review } from '../support/review.ts';

const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const WORKER = '/spec/tfReplicaSpecs/Worker';
const CONTAINER = `${WORKER}/template/spec/containers/0`;

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
