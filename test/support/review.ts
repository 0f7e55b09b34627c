import { parseReview, type AdmissionRequest } from '../../src/core/admission.ts';
import { decide, type Decision, type Verdict } from '../../src/core/decide.ts';
import { explain, type Explanation } from '../../src/core/explain.ts';
import { pointer } from '../../src/core/path.ts';
import type { Policy } from '../../src/core/policy.ts';
import { reviewResponse, type AdmissionResponse } from '../../src/core/review-response.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../src/policy/defaults.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';

/** What a test says of an admission request; what it leaves out is as Jane updates a TFJob called mnist. */
export interface Review {
  readonly operation?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subResource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly username?: string;
  readonly groups?: readonly string[];
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  /** JSON text where it is a string, so that a test can write `1.0` or a key twice; any other value as it is. */
  readonly oldObject?: unknown;
  readonly object?: unknown;
}

export const REVIEW_UID = '705ab4f5-6393-11e8-b7cc-42010a800002';
/** The moment of every judgement of a test that gives none. */
export const NOW = new Date('2026-11-28T12:00:00Z');
export const POLICY_HASH = 'sha256:0123456789ab';

/** Writes the AdmissionReview with which the API server asks. */
export function reviewText(review: Review): string {
  const { group = 'kubeflow.org', resource = 'tfjobs', subResource, dryRun = false, fieldManager } = review;
  const request = JSON.stringify({
    uid: REVIEW_UID,
    kind: { group, version: 'v1', kind: 'TFJob' },
    resource: { group, version: 'v1', resource },
    subResource,
    name: review.name ?? 'mnist',
    namespace: review.namespace ?? 'research',
    operation: review.operation ?? 'UPDATE',
    userInfo: { username: review.username ?? 'jane', groups: review.groups ?? ['system:authenticated'] },
    dryRun,
    options: { apiVersion: 'meta.k8s.io/v1', kind: 'UpdateOptions', fieldManager },
  });
  const objects = `"oldObject":${objectText(review.oldObject)},"object":${objectText(review.object)}`;
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${request.slice(0, -1)},${objects}}}`;
}

function objectText(object: unknown): string {
  return typeof object === 'string' ? object : JSON.stringify(object ?? null);
}

/** The request of a review, read as the webhook reads it. */
export function requestOf(review: Review): AdmissionRequest {
  return parseReview(reviewText(review));
}

/** Compiles a policy that differs from the default one in `fields`. */
export function policyWith(fields: Partial<PolicyDocument>): Policy {
  return { ...compilePolicy(completePolicy({ ...DEFAULT_POLICY_DOCUMENT, ...fields })), hash: POLICY_HASH };
}

export const DEFAULT_POLICY: Policy = policyWith({});

/** Judges the request of a review. */
export function judge(review: Review, policy: Policy = DEFAULT_POLICY): Verdict {
  return decide(policy, requestOf(review), NOW);
}

/** Judges the request of a review and explains the verdict. */
export function explained(review: Review, policy: Policy = DEFAULT_POLICY): Explanation {
  const request = requestOf(review);
  return explain(policy, request, decide(policy, request, NOW));
}

/** Judges a review and writes the verdict as a list: `['deny', 'add /spec/a']`, `['exempt', 'kueue']`, `['allow']`. */
export function verdictOn(review: Review, policy?: Policy): string[] {
  return inWords(judge(review, policy).decision);
}

function inWords(decision: Decision): string[] {
  if (decision.outcome === 'deny') {
    return [decision.outcome, ...decision.denied.map(({ op, path }) => `${op} ${pointer(path)}`)];
  }
  return decision.outcome === 'exempt' ? [decision.outcome, ...decision.exemptions] : [decision.outcome];
}

/** Judges a review and words the answer. */
export function respond(review: Review, policy: Policy = DEFAULT_POLICY): AdmissionResponse {
  return respondTo(policy, requestOf(review));
}

/** Judges a request and words the answer. */
export function respondTo(policy: Policy, request: AdmissionRequest): AdmissionResponse {
  const verdict = decide(policy, request, NOW);
  return reviewResponse(request, verdict, explain(policy, request, verdict)).response;
}
