/** The errors that the HTTP edge answers with, and Kubernetes' reason for each: apimachinery pkg/apis/meta/v1/types.go. */
const REASONS = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'Timeout',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  500: 'InternalError',
  503: 'ServiceUnavailable',
} as const;

export type ErrorCode = keyof typeof REASONS;

/** Every status code that the secure port can answer with, so that each has a metric from the start. */
export const STATUS_CODES: readonly number[] = [200, ...Object.keys(REASONS).map(Number)];

/** A request gets another answer than 200; the message is for whoever sent it. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: ErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** Writes an error as the `v1` Status that Kubernetes' clients read. */
export function statusBody({ code, message }: Pick<HttpError, 'code' | 'message'>): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason: REASONS[code], code });
}
