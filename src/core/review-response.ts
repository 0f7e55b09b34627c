import type { AdmissionRequest } from './admission.ts';
import type { Verdict } from './decide.ts';
import { auditAnnotations, causes, denialMessage, warnings, type Cause } from './explain.ts';
import { isMap, ownValue } from './json.ts';
import { guardedResource, type Policy } from './policy.ts';

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
