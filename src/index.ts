export { InvalidReviewError, parseReview, type AdmissionRequest, type User } from './core/admission.ts';
export { decide, type Decision, type JudgedChange, type Verdict } from './core/decide.ts';
export type { Change } from './core/diff.ts';
export { explain, type Explanation } from './core/explain.ts';
export {
  exactNumber,
  isExactNumber,
  type ExactNumber,
  type JsonMap,
  type JsonScalar,
  type JsonValue,
} from './core/json.ts';
export type { Path, Segment } from './core/path.ts';
export type { Mode, Policy } from './core/policy.ts';
export { reviewResponse, type AdmissionResponse, type AdmissionReview } from './core/review-response.ts';
export { loadPolicy, PolicyFileError, type PolicyTextOptions } from './policy/load.ts';
