import { Ajv } from 'ajv';

import type { Verdict } from './decide.ts';
import { auditAnnotations, causes, denialMessage, warnings, type Cause } from './explain.ts';
import { isMap, ownValue, parseJson, type JsonValue } from './json.ts';
import { guardedResource, type Policy, type User } from './policy.ts';

/** What jobguard reads of an admission.k8s.io/v1 AdmissionReview's request. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: string;
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  /** '' where none. */
  readonly subResource: string;
  /** '' where none. */
  readonly namespace: string;
  /** '' where none. */
  readonly name: string;
  readonly user: User;
  readonly dryRun: boolean;
  /** null where the request has none; undefined where it is nested too deeply to be read to the last digit. */
  readonly object: JsonValue | undefined;
  readonly oldObject: JsonValue | undefined;
}

/** The answer to a request: an admission.k8s.io/v1 AdmissionReview. */
export interface AdmissionReview {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: DenialStatus;
  readonly warnings?: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

export interface DenialStatus {
  readonly status: 'Failure';
  readonly code: 403;
  readonly reason: 'Forbidden';
  readonly message: string;
  readonly details: {
    readonly group: string;
    /** The resource's plural name, as the API server writes it. */
    readonly kind: string;
    readonly name: string;
    readonly uid?: string;
    readonly causes?: readonly Cause[];
  };
}

/** A request body is no AdmissionReview that could be answered; the message is for whoever sent it. */
export class InvalidReviewError extends Error {
  override readonly name = 'InvalidReviewError';
}

interface ReviewEnvelope {
  readonly request: {
    readonly uid: string;
    readonly operation: string;
    readonly resource: AdmissionRequest['resource'];
    readonly subResource?: string | null;
    readonly namespace?: string | null;
    readonly name?: string | null;
    readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] | null } | null;
    readonly dryRun?: boolean | null;
    readonly object?: JsonValue;
    readonly oldObject?: JsonValue;
  };
}

const STRING = { type: 'string' } as const;
const NULLABLE_STRING = { type: 'string', nullable: true } as const;

const ajv = new Ajv({ allErrors: false, strict: true });

/**
 * The envelope alone: what stands in `object` and `oldObject` is judged, not validated, and fields that Kubernetes may
 * add some day are let through. Nothing is coerced, defaulted or removed: that would alter what is compared.
 * Source: k8s.io/api admission/v1/types.go.
 */
const isReview = ajv.compile<ReviewEnvelope>({
  type: 'object',
  required: ['apiVersion', 'kind', 'request'],
  properties: {
    apiVersion: { const: 'admission.k8s.io/v1' },
    kind: { const: 'AdmissionReview' },
    request: {
      type: 'object',
      required: ['uid', 'operation', 'resource'],
      properties: {
        uid: { type: 'string', minLength: 1 },
        operation: STRING,
        resource: {
          type: 'object',
          required: ['group', 'version', 'resource'],
          properties: { group: STRING, version: STRING, resource: STRING },
        },
        subResource: NULLABLE_STRING,
        namespace: NULLABLE_STRING,
        name: NULLABLE_STRING,
        userInfo: {
          type: 'object',
          nullable: true,
          properties: { username: STRING, groups: { type: 'array', nullable: true, items: STRING } },
        },
        dryRun: { type: 'boolean', nullable: true },
      },
    },
  },
});

/**
 * Reads the text of an AdmissionReview.
 *
 * @throws InvalidReviewError where the text is not JSON, or not an admission.k8s.io/v1 AdmissionReview with a request
 */
export function parseReview(text: string): AdmissionRequest {
  const { review, isExact } = parseText(text);
  if (!isReview(review)) {
    const problem = ajv.errorsText(isReview.errors, { dataVar: '' });
    throw new InvalidReviewError(`not an admission.k8s.io/v1 AdmissionReview: ${problem}`);
  }
  return requestOf(review, isExact);
}

function requestOf({ request }: ReviewEnvelope, isExact: boolean): AdmissionRequest {
  return {
    uid: request.uid,
    operation: request.operation,
    resource: request.resource,
    subResource: orEmpty(request.subResource),
    namespace: orEmpty(request.namespace),
    name: orEmpty(request.name),
    user: { username: orEmpty(request.userInfo?.username), groups: request.userInfo?.groups ?? [] },
    dryRun: request.dryRun === true,
    object: isExact ? (request.object ?? null) : undefined,
    oldObject: isExact ? (request.oldObject ?? null) : undefined,
  };
}

/** Go leaves an empty string out, or writes null. */
function orEmpty(text: string | null | undefined): string {
  return text ?? '';
}

function parseText(text: string): { review: unknown; isExact: boolean } {
  try {
    return { review: parseJson(text), isExact: true };
  } catch (error) {
    // The envelope can still be read, so that the request gets an answer that says what is wrong with its object.
    if (error instanceof RangeError) return { review: JSON.parse(text), isExact: false };
    throw new InvalidReviewError('the request body is not JSON');
  }
}

/** Words the answer to a request: the verdict as its mode has it. */
export function reviewResponse(policy: Policy, request: AdmissionRequest, verdict: Verdict): AdmissionReview {
  const allowed = isAllowed(verdict);
  const texts = warnings(policy, request, verdict);
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: request.uid,
      allowed,
      ...(allowed ? {} : { status: denialStatus(policy, request, verdict) }),
      ...(texts.length === 0 ? {} : { warnings: texts }),
      auditAnnotations: auditAnnotations(policy, verdict),
    },
  };
}

/** Tells whether a verdict lets the request through. */
export function isAllowed({ decision, mode }: Verdict): boolean {
  return mode !== 'enforce' || (decision.outcome !== 'deny' && decision.outcome !== 'unjudgeable');
}

/**
 * 403 Forbidden, so that nobody deletes and recreates a running job: on 422, and on the words "is immutable",
 * `kubectl apply --force` and Flux do. Source: k8s.io/kubectl pkg/cmd/apply/patcher.go.
 */
function denialStatus(policy: Policy, request: AdmissionRequest, verdict: Verdict): DenialStatus {
  const { group, resource } = request.resource;
  const uid = storedUid(request);
  const found = causes(guardedResource(policy, group, resource), verdict.decision);
  return {
    status: 'Failure',
    code: 403,
    reason: 'Forbidden',
    message: denialMessage(policy, request, verdict.decision),
    details: {
      group,
      kind: resource,
      name: request.name,
      ...(uid === undefined ? {} : { uid }),
      ...(found.length === 0 ? {} : { causes: found }),
    },
  };
}

function storedUid({ oldObject }: AdmissionRequest): string | undefined {
  const metadata = isMap(oldObject) ? ownValue(oldObject, 'metadata') : undefined;
  const uid = isMap(metadata) ? ownValue(metadata, 'uid') : undefined;
  return typeof uid === 'string' ? uid : undefined;
}
