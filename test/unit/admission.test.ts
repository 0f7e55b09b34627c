import { describe, expect, test } from '@jest/globals';
import { InvalidReviewError, parseReview, type AdmissionRequest } from '../../src/core/admission.ts';
import { exactNumber, type JsonMap } from '../../src/core/json.ts';
import { requestOf, REVIEW_UID, reviewText } from '../support/review.ts';

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
      fieldManager: 'kubectl-edit',
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
      fieldManager: 'kubectl-edit',
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
    fieldManager: '',
    object: null,
    oldObject: null,
  };

  test.each<[string, object]>([
    ['may leave out what Go leaves out', {}],
    [
      'may have null in its place',
      {
        subResource: null,
        namespace: null,
        name: null,
        userInfo: null,
        dryRun: null,
        options: null,
        object: null,
        oldObject: null,
      },
    ],
    ['may have a null field manager', { options: { fieldManager: null } }],
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

  test('keeps the digits of a number however deeply it is nested', () => {
    const deep = (number: string): string => `${'['.repeat(10_000)}${number}${']'.repeat(10_000)}`;
    const { object } = requestOf({ oldObject: '{}', object: `{"a": ${deep('12345678901234567890')}}` });
    let at = (object as JsonMap)['a'];
    while (Array.isArray(at)) at = at[0];
    expect(at).toEqual(exactNumber('12345678901234567890'));
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
    ['null', null, 'must be object'],
    ['a list', [], 'must be object'],
    ['a number', 1, 'must be object'],
    [
      'another version',
      { ...SMALLEST, apiVersion: 'admission.k8s.io/v1beta1' },
      '/apiVersion must be equal to constant',
    ],
    ['another kind', { ...SMALLEST, kind: 'ConversionReview' }, '/kind must be equal to constant'],
    ['no request', { ...SMALLEST, request: undefined }, "must have required property 'request'"],
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
    [
      'two problems, of which the first is named',
      { ...SMALLEST, request: { ...request, uid: 1, name: 1 } },
      '/request/uid must be string',
    ],
  ])('%s', (_title, review, problem) => {
    expect(() => parseReview(JSON.stringify(review))).toThrow(
      new InvalidReviewError(`not an admission.k8s.io/v1 AdmissionReview: ${problem}`),
    );
  });

  test('is said in an error of its own name', () => {
    expect(new InvalidReviewError('x').name).toBe('InvalidReviewError');
  });
});
