import type { User } from '../../core/admission.ts';

export type Outcome = 'allowed' | 'exempt' | 'denied';

/** A recorded update of a guarded resource, and what the policy says of it. */
export interface JudgedUpdate {
  readonly time: Date;
  readonly user: User;
  /** '' where the log does not say. */
  readonly fieldManager: string;
  /** Such as `tfjobs.kubeflow.org`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the audit event; the review's uid where it comes from jobguard's own log. */
  readonly auditID: string;
  readonly outcome: Outcome;
  /** JSON Pointers of what was refused; empty where nothing was. */
  readonly paths: readonly string[];
}
