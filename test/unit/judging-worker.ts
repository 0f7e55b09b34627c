import { parentPort } from 'node:worker_threads';
import { parseReview } from '../../src/core/admission.ts';
import { reviewResponse, type AdmissionResponse } from '../../src/core/review-response.ts';
import { decide } from '../../src/core/decide.ts';
import { DEFAULT_POLICY } from '../support/review.ts';

/** What a review was answered, and how much of the processor's time that took. */
export interface Judged {
  readonly response: AdmissionResponse;
  readonly milliseconds: number;
}

/** Reads, judges and answers a review, as one request does, in the time of this thread alone. */
function judge(text: string): Judged {
  const before = process.threadCpuUsage();
  const request = parseReview(text);
  const { response } = reviewResponse(DEFAULT_POLICY, request, decide(DEFAULT_POLICY, request));
  const { user, system } = process.threadCpuUsage(before);
  return { response, milliseconds: (user + system) / 1_000 };
}

parentPort?.on('message', (text: string) => parentPort?.postMessage(judge(text)));
