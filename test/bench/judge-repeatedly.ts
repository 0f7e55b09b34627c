/**
 * Judges a review as jobguard's webhook does, from the bytes of the body to those of the answer, and nothing around it.
 * `node judge-repeatedly.ts REVIEW TIMES` prints whether it is allowed and how many microseconds it takes.
 */
import { readFileSync } from 'node:fs';

import { parseReview } from '../../src/core/admission.ts';
import { decide } from '../../src/core/decide.ts';
import { explain } from '../../src/core/explain.ts';
import { reviewResponse, type AdmissionReview } from '../../src/core/review-response.ts';
import { decodeBody } from '../../src/server/judge.ts';
import { DEFAULT_POLICY, NOW } from '../support/review.ts';

const [, , file = '', count] = process.argv;
const body = readFileSync(file);
const times = Number(count);

function judge(): AdmissionReview {
  const request = parseReview(decodeBody(body));
  const verdict = decide(DEFAULT_POLICY, request, NOW);
  return reviewResponse(request, verdict, explain(DEFAULT_POLICY, request, verdict));
}

/** Returns how long a review takes, in microseconds. */
function measure(): number {
  const start = performance.now();
  for (let time = 0; time < times; time += 1) JSON.stringify(judge());
  return ((performance.now() - start) * 1_000) / times;
}

// Once to be compiled for what it does: a webhook serves for weeks.
measure();
const { allowed } = judge().response;
process.stdout.write(JSON.stringify({ allowed, microseconds: measure() }));
