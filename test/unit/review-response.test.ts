import { describe, expect, test } from '@jest/globals';
import { reviewResponse, type AdmissionResponse } from '../../src/core/review-response.ts';
import { decide, isAllowed, type Decision } from '../../src/core/decide.ts';
import { explain } from '../../src/core/explain.ts';
import type { JsonMap } from '../../src/core/json.ts';
import { causeOf, denialOf, MISREAD, refusalOf, UNJUDGEABLE, wouldDeny } from '../support/denial-wording.ts';
import { TF_JOB, withValue, without } from '../support/job.ts';
import {
  DEFAULT_POLICY,
  NOW,
  policyWith,
  POLICY_HASH,
  requestOf,
  respond,
  REVIEW_UID,
  type Review,
} from '../support/review.ts';

const REPLICAS = '/spec/tfReplicaSpecs/Worker/replicas';
const RESIZED: Review = { oldObject: TF_JOB, object: withValue(TF_JOB, REPLICAS, 4) };
const MNIST = 'tfjobs.kubeflow.org "mnist"';
const DENIAL = denialOf(MNIST, ['spec.tfReplicaSpecs[Worker].replicas (2 → 4)']);

describe('the answer', () => {
  test('to what is allowed', () => {
    const request = requestOf({ oldObject: TF_JOB, object: withValue(TF_JOB, '/metadata/labels/a', 'b') });
    const verdict = decide(DEFAULT_POLICY, request, NOW);
    expect(reviewResponse(request, verdict, explain(DEFAULT_POLICY, request, verdict))).toEqual({
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
              message: causeOf('2 → 4'),
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
      warnings: [`spec.runPolicy.cleanPodPolicy ${MISREAD.cleanPodPolicy}`],
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
        message: `${refusalOf(MNIST)}: ${UNJUDGEABLE.noObjects}`,
        details: { group: 'kubeflow.org', kind: 'tfjobs', name: 'mnist', uid: '6f9619ff-8b86-4d11-b42d-00cf4fc964ff' },
      },
      auditAnnotations: { decision: 'unjudgeable', mode: 'enforce', policy: POLICY_HASH },
    });
  });

  test('in mode warn allows, and says what would be denied', () => {
    expect(respond(RESIZED, policyWith({ mode: 'warn' }))).toEqual({
      uid: REVIEW_UID,
      allowed: true,
      warnings: [`spec.tfReplicaSpecs[Worker].replicas ${causeOf('2 → 4')}`, wouldDeny(1)],
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
    [decide(DEFAULT_POLICY, requestOf(RESIZED), NOW).decision, false],
    [{ outcome: 'unjudgeable', reason: 'noObjects' }, false],
  ];

  test.each(decisions)('%j in mode enforce: %s; in other modes always', (decision, expected) => {
    expect(isAllowed({ decision, mode: 'enforce' })).toBe(expected);
    expect(isAllowed({ decision, mode: 'warn' })).toBe(true);
    expect(isAllowed({ decision, mode: 'audit' })).toBe(true);
  });
});
