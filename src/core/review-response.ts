import type { AdmissionRequest } from './admission.ts';
import { isAllowed, type Verdict } from './decide.ts';
import type { Cause, Explanation } from './explain.ts';
import { isMap, ownValue } from './json.ts';

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

/** Makes the answer to a request: the verdict as its mode has it, in the words of its explanation. */
export function reviewResponse(request: AdmissionRequest, verdict: Verdict, explanation: Explanation): AdmissionReview {
  const allowed = isAllowed(verdict);
  const { warnings, annotations } = explanation;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: request.uid,
      allowed,
      ...(allowed ? {} : { status: denialStatus(request, explanation) }),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: annotations,
    },
  };
}

/**
 * 403 Forbidden, so that nobody deletes and recreates a running job: on 422, and on the words "is immutable",
 * `kubectl apply --force` and Flux do. Source: k8s.io/kubectl pkg/cmd/apply/patcher.go.
 */
function denialStatus(request: AdmissionRequest, { message, causes }: Explanation): DenialStatus {
  const { group, resource } = request.resource;
  const uid = storedUid(request);
  return {
    status: 'Failure',
    code: 403,
    reason: 'Forbidden',
    message,
    details: {
      group,
      kind: resource,
      name: request.name,
      ...(uid === undefined ? {} : { uid }),
      ...(causes.length === 0 ? {} : { causes }),
    },
  };
}

function storedUid({ oldObject }: AdmissionRequest): string | undefined {
  const metadata = isMap(oldObject) ? ownValue(oldObject, 'metadata') : undefined;
  const uid = isMap(metadata) ? ownValue(metadata, 'uid') : undefined;
  return typeof uid === 'string' ? uid : undefined;
}
