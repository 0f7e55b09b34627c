import { Ajv } from 'ajv';

import { parseJson, type JsonValue } from './json.ts';

export interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

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
  /** What the writer calls itself, such as `kubectl-edit`; '' where it does not say. */
  readonly fieldManager: string;
  /** null where the request has none. */
  readonly object: JsonValue;
  readonly oldObject: JsonValue;
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
    readonly options?: { readonly fieldManager?: string | null } | null;
    readonly object?: JsonValue;
    readonly oldObject?: JsonValue;
  };
}

const STRING = { type: 'string' } as const;
const NULLABLE_STRING = { type: 'string', nullable: true } as const;

const ajv = new Ajv({ allErrors: false, strict: true, validateSchema: false });

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
        options: { type: 'object', nullable: true, properties: { fieldManager: NULLABLE_STRING } },
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
  const review = parseText(text);
  if (!isReview(review)) {
    // What is wrong with the review itself has an empty path.
    const problem = ajv.errorsText(isReview.errors, { dataVar: '' }).trim();
    throw new InvalidReviewError(`not an admission.k8s.io/v1 AdmissionReview: ${problem}`);
  }
  return requestOf(review);
}

function requestOf({ request }: ReviewEnvelope): AdmissionRequest {
  return {
    uid: request.uid,
    operation: request.operation,
    resource: request.resource,
    subResource: orEmpty(request.subResource),
    namespace: orEmpty(request.namespace),
    name: orEmpty(request.name),
    user: { username: orEmpty(request.userInfo?.username), groups: request.userInfo?.groups ?? [] },
    dryRun: request.dryRun === true,
    fieldManager: orEmpty(request.options?.fieldManager),
    object: request.object ?? null,
    oldObject: request.oldObject ?? null,
  };
}

/** Go leaves an empty string out, or writes null. */
function orEmpty(text: string | null | undefined): string {
  return text ?? '';
}

function parseText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new InvalidReviewError('the request body is not JSON');
  }
}
