import { InvalidReviewError, parseReview, type AdmissionRequest } from '../core/admission.ts';
import { decide, type Decision, type Verdict } from '../core/decide.ts';
import { explain, type Explanation } from '../core/explain.ts';
import { guardedResource, type Policy } from '../core/policy.ts';
import { reviewResponse } from '../core/review-response.ts';
import { heapBytes, MAX_HEAP_BYTES } from './density.ts';
import { withoutObjects } from './envelope.ts';
import { HttpError } from './http.ts';

/** A request that was judged: its answer, and what is recorded of it. */
export interface Judgement {
  /** The AdmissionReview, as JSON. */
  readonly answer: string;
  readonly request: AdmissionRequest;
  readonly verdict: Verdict;
  readonly explanation: Explanation;
}

/**
 * Judges the text of a request.
 *
 * @throws HttpError 400 where it is no AdmissionReview
 */
export function judge(policy: Policy, text: string): Judgement {
  const request = readReview(text);
  return judgementOf(policy, request, decide(policy, request, new Date()));
}

function judgementOf(policy: Policy, request: AdmissionRequest, verdict: Verdict): Judgement {
  const explanation = explain(policy, request, verdict);
  return { answer: JSON.stringify(reviewResponse(request, verdict, explanation)), request, verdict, explanation };
}

function readReview(text: string): AdmissionRequest {
  try {
    return parseReview(text);
  } catch (error) {
    throw error instanceof InvalidReviewError ? new HttpError(400, error.message) : error;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; what is not UTF-8 is refused, never mended: a replaced byte could hide a change. */
export function decodeBody(body: Uint8Array): string {
  try {
    return decoder.decode(body);
  } catch {
    throw new HttpError(400, 'the request body is not UTF-8');
  }
}

/**
 * Judges a body that may be as large as the limits let it be, and takes it away from whoever gives it. Returns the
 * judgement without objects.
 *
 * @throws HttpError 413 where it has too many values outside of its objects, 400 as `judge` and `decodeBody` do
 */
export function judgeLarge(policy: Policy, body: Uint8Array<ArrayBuffer>): Judgement {
  if (heapBytes(body) > MAX_HEAP_BYTES) return withoutValues(judgeEnvelope(policy, withoutObjects(body)));
  const text = decodeBody(body);
  // Frees the bytes at once: the collector might come only after the text is parsed.
  body.buffer.transfer(0);
  return withoutValues(judge(policy, text));
}

/** Judges an update whose objects are not read. It is refused: 413 would let it pass with `failurePolicy: Ignore`. */
function judgeEnvelope(policy: Policy, envelope: Uint8Array): Judgement {
  if (heapBytes(envelope) > MAX_HEAP_BYTES) {
    throw new HttpError(413, 'the request body has more lists, maps and values than an API server can send');
  }
  const request = readReview(decodeBody(envelope));
  const { decision, ...verdict } = decide(policy, request, new Date());
  const isUnread = decision.outcome === 'unjudgeable' && decision.reason === 'noObjects';
  return judgementOf(policy, request, {
    ...verdict,
    decision: isUnread ? { outcome: 'unjudgeable', reason: 'tooManyValues' } : decision,
  });
}

/** Longer than any name in Kubernetes, and than what the log shows of one. */
const MAX_NAME_LENGTH = 1024;

/** Takes from a judgement what only the judgement itself needed. What remains is small, and threads can hand it on. */
function withoutValues({ request, verdict, ...judgement }: Judgement): Judgement {
  const short = (name: string): string => name.slice(0, MAX_NAME_LENGTH);
  const { group, version, resource } = request.resource;
  return {
    ...judgement,
    request: {
      uid: short(request.uid),
      operation: short(request.operation),
      resource: { group: short(group), version: short(version), resource: short(resource) },
      subResource: short(request.subResource),
      namespace: short(request.namespace),
      name: short(request.name),
      user: { username: short(request.user.username), groups: [] },
      dryRun: request.dryRun,
      fieldManager: short(request.fieldManager),
      object: null,
      oldObject: null,
    },
    verdict: { decision: withoutChanges(verdict.decision), mode: verdict.mode, resource: undefined },
  };
}

/** Gives a judgement of another thread the resource of this one's policy. */
export function withResource(policy: Policy, { verdict, ...judgement }: Judgement): Judgement {
  const { group, resource } = judgement.request.resource;
  return { ...judgement, verdict: { ...verdict, resource: guardedResource(policy, group, resource) } };
}

function withoutChanges(decision: Decision): Decision {
  if (!('changes' in decision)) return decision;
  if (decision.outcome !== 'deny') return { ...decision, changes: [] };
  const [first] = decision.denied;
  return { ...decision, changes: [], denied: [{ ...first, path: [], oldValue: undefined, newValue: undefined }] };
}
