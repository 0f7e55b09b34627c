import { describe, expect, test } from '@jest/globals';

import { deniedBy, warnedBy } from '../../src/kube/served-denial.ts';
import type { JsonMap } from '../../src/core/json.ts';
import { causeOf, denialOf, HINTS, wouldDeny } from '../support/denial-wording.ts';

const ADVICE =
  'Only labels, annotations, activeDeadlineSeconds, ttlSecondsAfterFinished and cleanPodPolicy may change. ';
const WAY_OUT = 'To run it differently, create a new job.';

/** What an API server answers of what a webhook says. */
function statusOf(message: string, fields: readonly string[], webhook = 'validate.jobguard.dev'): JsonMap {
  return {
    kind: 'Status',
    code: 403,
    message: `admission webhook "${webhook}" denied the request: ${message}`,
    details: { causes: fields.map((field) => ({ reason: 'FieldValueForbidden', field, message: causeOf('1 → 2') })) },
  };
}

describe('a denial', () => {
  test('is read with its fields and its advice', () => {
    const message = denialOf('tfjobs.kubeflow.org "mnist"', ['spec.a (1 → 2)'], {
      wayOut: WAY_OUT,
      contact: 'Ask us.',
    });
    expect(deniedBy(statusOf(message, ['spec.a']))).toEqual({
      mode: 'enforce',
      message,
      fields: ['spec.a'],
      count: 1,
      advice: `${ADVICE}${WAY_OUT} Ask us.`,
    });
  });

  test('counts what it does not name', () => {
    const message = denialOf('tfjobs.kubeflow.org "mnist"', ['spec.a (1 → 2)'], { more: 3 });
    expect(deniedBy(statusOf(message, ['spec.a']))?.count).toBe(4);
  });

  test('may allow nothing', () => {
    const message = denialOf('tfjobs.kubeflow.org "mnist"', ['spec.a (1 → 2)'], { allowed: '', wayOut: WAY_OUT });
    expect(deniedBy(statusOf(message, ['spec.a']))?.advice).toBe(`Nothing may change. ${WAY_OUT}`);
  });

  test.each([
    ['another webhook’s', statusOf('no pods on Fridays', ['spec.a'])],
    ['about what cannot be judged', statusOf(denialOf('tfjobs.kubeflow.org "mnist"', ['x']), [])],
    ['the API server’s own', { message: 'tfjobs.kubeflow.org "mnist" is forbidden', details: { name: 'mnist' } }],
    ['without words', {}],
  ])('is none if it is %s', (_what, status) => {
    expect(deniedBy(status)).toBeUndefined();
  });
});

describe('warnings', () => {
  test('say what would be denied', () => {
    const warnings = ['unknown field "spec.x"', `spec.a ${causeOf('1 → 2')}`, wouldDeny(2), HINTS.suspend, 'Ask us.'];
    expect(warnedBy(warnings)).toEqual({
      mode: 'warn',
      message: wouldDeny(2),
      fields: ['spec.a'],
      count: 2,
      advice: 'To let people pause and resume jobs, allow "/spec/runPolicy/suspend" in the policy. Ask us.',
    });
  });

  test('of others say nothing', () => {
    expect(warnedBy(['unknown field "spec.x"'])).toBeUndefined();
  });
});
