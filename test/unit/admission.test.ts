import { describe, expect, test } from '@jest/globals';
import {
  InvalidReviewError,
  isAllowed,
  parseReview,
  reviewResponse,
  type AdmissionRequest,
  type AdmissionResponse,
} from '../../src/core/admission.ts';
import { decide, type Decision } from '../../src/core/decide.ts';
import type { JsonMap } from '../../src/core/json.ts';
import { TF_JOB, withValue, without } from '../support/job.ts';
import {
  DEFAULT_POLICY,
  policyWith,
  POLICY_HASH,
  requestOf,
  respond,
  REVIEW_UID,
  reviewText,
  type Review,
} from '../support/review.ts';

const REPLICAS = '/spec/tfReplicaSpecs/Worker/replicas';
const RESIZED: Review = { oldObject: TF_JOB, object: withValue(TF_JOB, REPLICAS, 4) };
const DENIAL =
  'tfjobs.kubeflow.org "mnist" may not be updated: spec.tfReplicaSpecs[Worker].replicas (2 → 4); only metadata.labels, ' +
  'metadata.annotations, spec.activeDeadlineSeconds, spec.ttlSecondsAfterFinished, spec.cleanPodPolicy, ' +
  'spec.runPolicy.activeDeadlineSeconds, spec.runPolicy.ttlSecondsAfterFinished, spec.runPolicy.cleanPodPolicy ' +
  'may change. To run it differently, create a new job.';

/** An AdmissionReview of the fewest fields that one can have. */
const SMALLEST = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u',
    operation: 'UPDATE',
    resource: { group: 'kubeflow.org', version: 'v1', resource: 'tfjobs' },
  },
};

describe('an AdmissionReview that is read', () => {
  test('gives what is judged', () => {
    const text = reviewText({
      resource: 'pytorchjobs',
      subResource: 'scale',
      namespace: 'prod',
      name: 'bert',
      username: 'jane',
      groups: ['a', 'b'],
      dryRun: true,
      oldObject: { spec: { replicas: 1 } },
      object: { spec: { replicas: 2 } },
    });
    const expected: AdmissionRequest = {
      uid: REVIEW_UID,
      operation: 'UPDATE',
      resource: { group: 'kubeflow.org', version: 'v1', resource: 'pytorchjobs' },
      subResource: 'scale',
      namespace: 'prod',
      name: 'bert',
      user: { username: 'jane', groups: ['a', 'b'] },
      dryRun: true,
      object: { spec: { replicas: 2 } },
      oldObject: { spec: { replicas: 1 } },
    };
    expect(parseReview(text)).toEqual(expected);
  });

  const smallest: AdmissionRequest = {
    uid: 'u',
    operation: 'UPDATE',
    resource: { group: 'kubeflow.org', version: 'v1', resource: 'tfjobs' },
    subResource: '',
    namespace: '',
    name: '',
    user: { username: '', groups: [] },
    dryRun: false,
    object: null,
    oldObject: null,
  };

  test.each<[string, object]>([
    ['may leave out what Go leaves out', {}],
    [
      'may have null in its place',
      { subResource: null, namespace: null, name: null, userInfo: null, dryRun: null, object: null, oldObject: null },
    ],
    ['may have empty users', { userInfo: {} }],
    ['may have users in no groups', { userInfo: { username: '', groups: null, uid: 'x', extra: { scopes: ['a'] } } }],
    ['may have fields that Kubernetes does not have yet', { newField: { a: 1 }, userInfo: { newField: 1 } }],
  ])('%s', (_title, fields) => {
    expect(parseReview(JSON.stringify({ ...SMALLEST, request: { ...SMALLEST.request, ...fields } }))).toEqual(smallest);
  });

  test('keeps objects as they are, be they what they may', () => {
    const { object, oldObject } = requestOf({ oldObject: '{"a": null, "b": [], "c": -0}', object: '"text"' });
    expect(oldObject).toStrictEqual({ a: null, b: [], c: -0 });
    expect(object).toBe('text');
  });

  test.each(['1', '12345678901234567890'])('keeps keys called __proto__, beside the number %s', (number) => {
    const { object } = requestOf({ oldObject: '{}', object: `{"__proto__": {"polluted": ${number}}}` });
    expect(Object.keys(object as JsonMap)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
  });

  test('has no objects where they are too deep to be read to the last digit; the rest is read', () => {
    const deep = `${'['.repeat(10_000)}12345678901234567890${']'.repeat(10_000)}`;
    const request = requestOf({ oldObject: '{"a": 1}', object: `{"a": ${deep}}` });
    expect(request).toEqual({ ...requestOf({}), object: undefined, oldObject: undefined });
  });
});

describe('what is no AdmissionReview', () => {
  const request = SMALLEST.request;

  test.each<[string, string, string]>([
    ['an empty body', '', 'the request body is not JSON'],
    ['a word', 'hello', 'the request body is not JSON'],
    ['half of one', JSON.stringify(SMALLEST).slice(0, -1), 'the request body is not JSON'],
    ['two of them', `${JSON.stringify(SMALLEST)} {}`, 'the request body is not JSON'],
    ['YAML', 'apiVersion: admission.k8s.io/v1', 'the request body is not JSON'],
  ])('%s', (_title, text, message) => {
    expect(() => parseReview(text)).toThrow(new InvalidReviewError(message));
  });

  test.each<[string, unknown, string]>([
    ['null', null, ' must be object'],
    ['a list', [], ' must be object'],
    ['a number', 1, ' must be object'],
    [
      'another version',
      { ...SMALLEST, apiVersion: 'admission.k8s.io/v1beta1' },
      '/apiVersion must be equal to constant',
    ],
    ['another kind', { ...SMALLEST, kind: 'ConversionReview' }, '/kind must be equal to constant'],
    ['no request', { ...SMALLEST, request: undefined }, " must have required property 'request'"],
    ['a request that is null', { ...SMALLEST, request: null }, '/request must be object'],
    ['no uid', { ...SMALLEST, request: { ...request, uid: undefined } }, "/request must have required property 'uid'"],
    [
      'an empty uid',
      { ...SMALLEST, request: { ...request, uid: '' } },
      '/request/uid must NOT have fewer than 1 characters',
    ],
    ['a uid that is a number', { ...SMALLEST, request: { ...request, uid: 1 } }, '/request/uid must be string'],
    [
      'an operation that is none',
      { ...SMALLEST, request: { ...request, operation: 1 } },
      '/request/operation must be string',
    ],
    ['no resource', { ...SMALLEST, request: { ...request, resource: null } }, '/request/resource must be object'],
    [
      'a resource without a group',
      { ...SMALLEST, request: { ...request, resource: { version: 'v1', resource: 'x' } } },
      "/request/resource must have required property 'group'",
    ],
    [
      'groups that are a text',
      { ...SMALLEST, request: { ...request, userInfo: { groups: 'a' } } },
      '/request/userInfo/groups must be array',
    ],
    [
      'a group that is a number',
      { ...SMALLEST, request: { ...request, userInfo: { groups: [1] } } },
      '/request/userInfo/groups/0 must be string',
    ],
    [
      'a user that is a number',
      { ...SMALLEST, request: { ...request, userInfo: { username: 1 } } },
      '/request/userInfo/username must be string',
    ],
    [
      'a dry run that is a text',
      { ...SMALLEST, request: { ...request, dryRun: 'true' } },
      '/request/dryRun must be boolean',
    ],
    ['a name that is a number', { ...SMALLEST, request: { ...request, name: 1 } }, '/request/name must be string'],
  ])('%s', (_title, review, problem) => {
    expect(() => parseReview(JSON.stringify(review))).toThrow(
      new InvalidReviewError(`not an admission.k8s.io/v1 AdmissionReview: ${problem}`),
    );
  });

  test('is said in an error of its own name', () => {
    expect(new InvalidReviewError('x').name).toBe('InvalidReviewError');
  });
});

describe('the answer', () => {
  test('to what is allowed', () => {
    const request = requestOf({ oldObject: TF_JOB, object: withValue(TF_JOB, '/metadata/labels/a', 'b') });
    expect(reviewResponse(DEFAULT_POLICY, request, decide(DEFAULT_POLICY, request))).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: REVIEW_UID,
        allowed: true,
        auditAnnotations: { decision: 'allow', mode: 'enforce', policy: POLICY_HASH },
      },
    });
  });

  test('to a denial', () => {
    const expected: AdmissionResponse = {
      uid: REVIEW_UID,
      allowed: false,
      status: {
        status: 'Failure',
        code: 403,
        reason: 'Forbidden',
        message: DENIAL,
        details: {
          group: 'kubeflow.org',
          kind: 'tfjobs',
          name: 'mnist',
          uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff',
          causes: [
            {
              reason: 'FieldValueForbidden',
              field: 'spec.tfReplicaSpecs[Worker].replicas',
              message: 'may not change (2 → 4)',
            },
          ],
        },
      },
      auditAnnotations: {
        decision: 'deny',
        mode: 'enforce',
        'denied-paths': '["/spec/tfReplicaSpecs/Worker/replicas"]',
        'denied-count': '1',
        policy: POLICY_HASH,
      },
    };
    expect(respond(RESIZED)).toEqual(expected);
    expect(respond({ ...RESIZED, dryRun: true })).toEqual(expected);
  });

  test('to a denial with values that the operator misreads', () => {
    const object = withValue(withValue(TF_JOB, REPLICAS, 4), '/spec/runPolicy/cleanPodPolicy', 'x');
    expect(respond({ oldObject: TF_JOB, object })).toEqual({
      ...respond(RESIZED),
      warnings: [
        'spec.runPolicy.cleanPodPolicy is not None, Running or All; the operator takes any other value for All',
      ],
    });
  });

  test('to what cannot be judged', () => {
    expect(respond({ oldObject: TF_JOB, object: null })).toEqual({
      uid: REVIEW_UID,
      allowed: false,
      status: {
        status: 'Failure',
        code: 403,
        reason: 'Forbidden',
        message: 'tfjobs.kubeflow.org "mnist" may not be updated: the request carries no old and new object to compare',
        details: { group: 'kubeflow.org', kind: 'tfjobs', name: 'mnist', uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff' },
      },
      auditAnnotations: { decision: 'unjudgeable', mode: 'enforce', policy: POLICY_HASH },
    });
  });

  test('in mode warn allows, and says what would be denied', () => {
    expect(respond(RESIZED, policyWith({ mode: 'warn' }))).toEqual({
      uid: REVIEW_UID,
      allowed: true,
      warnings: [
        'spec.tfReplicaSpecs[Worker].replicas may not change (2 → 4)',
        'jobguard would deny this update for 1 change',
      ],
      auditAnnotations: {
        decision: 'deny',
        mode: 'warn',
        'denied-paths': '["/spec/tfReplicaSpecs/Worker/replicas"]',
        'denied-count': '1',
        policy: POLICY_HASH,
      },
    });
  });

  test('in mode audit allows, and only records', () => {
    expect(respond(RESIZED, policyWith({ mode: 'audit' }))).toEqual({
      uid: REVIEW_UID,
      allowed: true,
      auditAnnotations: {
        decision: 'deny',
        mode: 'audit',
        'denied-paths': '["/spec/tfReplicaSpecs/Worker/replicas"]',
        'denied-count': '1',
        policy: POLICY_HASH,
      },
    });
  });

  test.each<[string, JsonMap | null]>([
    ['no old object', null],
    ['no metadata', without(TF_JOB, '/metadata')],
    ['metadata that is a list', withValue(TF_JOB, '/metadata', [])],
    ['no uid', without(TF_JOB, '/metadata/uid')],
    ['a uid that is a number', withValue(TF_JOB, '/metadata/uid', 1)],
  ])('names no uid where there is %s', (_title, oldObject) => {
    const object = withValue(TF_JOB, REPLICAS, 4);
    expect(respond({ oldObject, object }).status?.details).not.toHaveProperty('uid');
  });

  test.each<[string, Review]>([
    ['an update that is allowed', { oldObject: TF_JOB, object: TF_JOB }],
    ['a denial', RESIZED],
    ['what is out of scope', { operation: 'CREATE', object: TF_JOB }],
  ])('to %s never carries a patch', (_title, review) => {
    expect(Object.keys(respond(review))).not.toContain('patch');
    expect(Object.keys(respond(review))).not.toContain('patchType');
  });
});

describe('what is let through', () => {
  const decisions: [Decision, boolean][] = [
    [{ outcome: 'out_of_scope' }, true],
    [{ outcome: 'allow', changes: [] }, true],
    [{ outcome: 'exempt', changes: [], exemptions: ['kueue'] }, true],
    [decide(DEFAULT_POLICY, requestOf(RESIZED)).decision, false],
    [{ outcome: 'unjudgeable', reason: 'x' }, false],
  ];

  test.each(decisions)('%j in mode enforce: %s; in other modes always', (decision, expected) => {
    expect(isAllowed({ decision, mode: 'enforce' })).toBe(expected);
    expect(isAllowed({ decision, mode: 'warn' })).toBe(true);
    expect(isAllowed({ decision, mode: 'audit' })).toBe(true);
  });
});
