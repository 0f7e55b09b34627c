import { deepStrictEqual, strictEqual } from 'node:assert';

import { type AdmissionRequest, InvalidReviewError, parseReview } from '../../src/core/admission.ts';
import { decide } from '../../src/core/decide.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import { expectNoChangeToItself, expectSafeAnswer, judgementOf } from '../property/checks.ts';
import { naiveJudge } from '../property/naive-judge.ts';
import { POLICIES } from '../property/policies.ts';
import { readTree } from '../support/json-tree.ts';
import { NOW } from '../support/review.ts';

const POLICY_PAIRS = Object.values(POLICIES).map(({ document, naive }) => ({
  policy: compilePolicy(completePolicy(document)),
  naive,
}));

const RESOURCES = [
  { group: 'kubeflow.org', resource: 'tfjobs' },
  { group: 'kubeflow.org', resource: 'pytorchjobs' },
  { group: 'kubeflow.org', resource: 'mpijobs' },
  { group: 'example.org', resource: 'trainjobs' },
  { group: '', resource: 'pods' },
];

/** Most updates are of the resource itself. */
const SUBRESOURCES = ['', '', '', '', '', '', '', 'scale', 'status', 'exec'];

const WRITERS = [
  { username: 'jane', groups: ['system:authenticated'] },
  { username: 'john', groups: ['platform:admins'] },
  { username: 'system:serviceaccount:kube-system:generic-garbage-collector', groups: [] },
  { username: 'system:serviceaccount:kueue-system:kueue-controller-manager', groups: null },
  { username: 'system:serviceaccount:flyte:flytepropeller', groups: [] },
];

/** The naive judge recurses: what is nested more deeply could end its stack. */
const MAX_CONTAINERS = 500;

/**
 * Judges an update of three lines: one whose characters choose the policy, the resource, the subresource and the writer,
 * the old object as JSON, the new one as JSON. What is no JSON has to be refused as such, and nothing else may be thrown.
 */
export function judgeUpdate(input: string): void {
  const [head = '', before = '', ...after] = input.split('\n');
  const [policyChoice, ...choices] = Array.from(head, (character) => character.charCodeAt(0));
  const { policy, naive } = choose(POLICY_PAIRS, policyChoice);
  const text = reviewText(choices, before, after.join('\n'));
  const request = parse(text);
  if (request === undefined) return;
  strictEqual(isJson(text), true, 'what is no JSON was judged');
  expectSafeAnswer(policy, request);
  expectNoChangeToItself(policy, request);
  if ((text.match(/[[{]/g)?.length ?? 0) > MAX_CONTAINERS) return;
  deepStrictEqual(judgementOf(decide(policy, request, NOW).decision), naiveJudge(naive, readTree(text)));
}

function choose<T>(items: readonly T[], choice = 0): T {
  for (const item of items.slice(choice % items.length)) return item;
  throw new RangeError('there is nothing to choose from');
}

function reviewText([resource, subResource, writer]: readonly number[], before: string, after: string): string {
  const request = JSON.stringify({
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    operation: 'UPDATE',
    resource: { version: 'v1', ...choose(RESOURCES, resource) },
    subResource: choose(SUBRESOURCES, subResource),
    name: 'mnist',
    namespace: 'research',
    userInfo: choose(WRITERS, writer),
  });
  const objects = `"oldObject":${before},"object":${after}`;
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${request.slice(0, -1)},${objects}}}`;
}

function parse(text: string): AdmissionRequest | undefined {
  try {
    return parseReview(text);
  } catch (error) {
    if (error instanceof InvalidReviewError) return undefined;
    throw error;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
