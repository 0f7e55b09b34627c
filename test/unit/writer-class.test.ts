import { describe, expect, test } from '@jest/globals';

import { writerClass, writerClasses } from '../../src/telemetry/writer-class.ts';
import { DEFAULT_POLICY, policyWith } from '../support/review.ts';

const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';

describe('the class of a writer', () => {
  test.each([
    { username: 'jane', is: 'user' },
    { username: '', is: 'user' },
    { username: 'system:admin', is: 'user' },
    { username: 'oidc:system:serviceaccount:team:ci', is: 'user' },
    { username: 'system:serviceaccount:team:ci', is: 'service_account' },
    { username: 'system:node:worker-1', is: 'node' },
    { username: KUEUE, is: 'kueue' },
    { username: 'system:serviceaccount:kube-system:horizontal-pod-autoscaler', is: 'horizontalPodAutoscaler' },
    { username: 'system:serviceaccount:flyte:flytepropeller', is: 'flyte' },
  ])('$username is counted as $is', ({ username, is }) => {
    expect(writerClass(DEFAULT_POLICY, username)).toBe(is);
    expect(writerClasses(DEFAULT_POLICY)).toContain(is);
  });

  test('is no preset that is on', () => {
    const policy = policyWith({ presets: { kueue: true } });
    expect(writerClass(policy, KUEUE)).toBe('service_account');
    expect(writerClasses(policy)).toEqual(['user', 'service_account', 'node', 'horizontalPodAutoscaler', 'flyte']);
  });
});
