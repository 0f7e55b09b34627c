/** Fields that may differ: `true`, or those below a field. */
interface FreeFields {
  readonly [field: string]: FreeFields | true;
}

const RUN_POLICY: FreeFields = { activeDeadlineSeconds: true, ttlSecondsAfterFinished: true, cleanPodPolicy: true };

/** The five fields that everybody may change, and what the API server itself changes at every update. */
const FREE: FreeFields = {
  metadata: { labels: true, annotations: true, managedFields: true, generation: true, resourceVersion: true },
  spec: { ...RUN_POLICY, runPolicy: RUN_POLICY },
};

/** Answers an AdmissionReview by the rule of this benchmark, as tersely as a webhook for nothing else would. */
export function answerTo(review: unknown): string {
  const request = isMap(review) && isMap(review['request']) ? review['request'] : {};
  const allowed = isSame(request['oldObject'], request['object'], FREE);
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: request['uid'],
      allowed,
      ...(allowed ? {} : { status: { code: 403, message: 'only five fields may change' } }),
    },
  });
}

function isSame(a: unknown, b: unknown, free: FreeFields | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && isSameList(a, b);
  return isMap(a) && isMap(b) && isSameMap(a, b, free);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (!isSame(a[index], b[index], undefined)) return false;
  return true;
}

type JsonMap = Readonly<Record<string, unknown>>;

function isSameMap(a: JsonMap, b: JsonMap, free: FreeFields | undefined): boolean {
  for (const key in a) {
    const freeHere = free?.[key];
    if (freeHere !== true && !isSame(a[key], b[key] ?? ifFree(freeHere), freeHere)) return false;
  }
  for (const key in b) {
    const freeHere = free?.[key];
    if (freeHere !== true && !(key in a) && !isSame(ifFree(freeHere), b[key], freeHere)) return false;
  }
  return true;
}

/** A map that is missing but of which some fields may change is compared field by field. */
function ifFree(free: FreeFields | undefined): JsonMap | undefined {
  return free === undefined ? undefined : {};
}

function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
