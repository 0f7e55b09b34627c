import { parentPort } from 'node:worker_threads';
import { parseReview } from '../../src/core/admission.ts';
import type { AdmissionResponse } from '../../src/core/review-response.ts';
import { DEFAULT_POLICY, respondTo } from '../support/review.ts';

/** What a review was answered, and how much of the processor's time that took. */
export interface Judged {
  readonly response: AdmissionResponse;
  readonly milliseconds: number;
  /** By the clock, on which other processes may have had their turns. */
  readonly elapsedMs: number;
  /** What parsing the same text costs, in the same thread and at the same time: the measure of a busy machine. */
  readonly parsingMilliseconds: number;
}

/** Reads, judges and answers a review, as one request does, in the time of this thread alone. */
function judge(text: string): Judged {
  const parsingMilliseconds = timed(() => JSON.parse(text) as unknown).milliseconds;
  const { value: response, ...times } = timed(() => respondTo(DEFAULT_POLICY, parseReview(text)));
  return { response, ...times, parsingMilliseconds };
}

function timed<T>(work: () => T): { readonly value: T; readonly milliseconds: number; readonly elapsedMs: number } {
  const start = performance.now();
  const before = process.threadCpuUsage();
  const value = work();
  const { user, system } = process.threadCpuUsage(before);
  return { value, milliseconds: (user + system) / 1_000, elapsedMs: performance.now() - start };
}

parentPort?.on('message', (text: string) => parentPort?.postMessage(judge(text)));
