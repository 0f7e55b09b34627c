import { describe, expect, test } from '@jest/globals';
import { decide, type Decision, type UnjudgeableReason } from '../../src/core/decide.ts';
import { guardedResource, type GuardedResource } from '../../src/core/policy.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { DEFAULT_POLICY, judge, NOW, policyWith, requestOf, verdictOn, type Review } from '../support/review.ts';

const TF_JOBS = guardedResource(DEFAULT_POLICY, 'kubeflow.org', 'tfjobs');
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const AUTOSCALER = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler';
const WORKER = '/spec/tfReplicaSpecs/Worker';

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
    expect(decide(DEFAULT_POLICY, request, NOW)).toEqual(decide(DEFAULT_POLICY, request, NOW));
  });
});
