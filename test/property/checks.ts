import { deepStrictEqual, ok } from 'node:assert';
import type { AdmissionRequest } from '../../src/core/admission.ts';
import { decide, type Decision } from '../../src/core/decide.ts';
import { pointer } from '../../src/core/path.ts';
import type { Policy } from '../../src/core/policy.ts';
import { SECRET_NUMBER, SECRET_TEXT } from '../support/hostile-values.ts';
import { NOW, respondTo } from '../support/review.ts';
import type { Judgement } from './naive-judge.ts';

/** What holds of every update, whoever made it up: a generator of jobs, or a fuzzer. */

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const MAX_MESSAGE_BYTES = 1024;
const MAX_WARNING_CHARACTERS = 120;
const MAX_WARNINGS = 10;

/** Writes a decision as the naive judge does. */
export function judgementOf(decision: Decision): Judgement {
  const denied = decision.outcome === 'deny' ? decision.denied : [];
  return { outcome: decision.outcome, denied: denied.map(({ op, path }) => ({ op, pointer: pointer(path) })) };
}

/** Expects an answer that is as short as it has to be, has nothing that breaks a line, and shows no secret. */
export function expectSafeAnswer(policy: Policy, request: AdmissionRequest): void {
  const { status, warnings = [], auditAnnotations } = respondTo(policy, request);
  const message = status?.message ?? '';
  ok(Buffer.byteLength(message) <= MAX_MESSAGE_BYTES, message);
  ok(warnings.length <= MAX_WARNINGS);
  const causes = (status?.details.causes ?? []).flatMap(({ field, message: text }) => [field, text]);
  for (const warning of warnings) ok(Array.from(warning).length <= MAX_WARNING_CHARACTERS, warning);
  for (const line of [message, ...warnings, ...causes, ...Object.values(auditAnnotations)]) {
    ok(!UNPRINTABLE.test(line), `unprintable: ${JSON.stringify(line)}`);
    ok(!line.includes(SECRET_TEXT) && !line.includes(SECRET_NUMBER), `secret: ${line}`);
  }
}

/** Expects nothing to be a change where the new object is the old one. */
export function expectNoChangeToItself(policy: Policy, request: AdmissionRequest): void {
  const { decision } = decide(policy, { ...request, object: request.oldObject }, NOW);
  if ('changes' in decision) deepStrictEqual(decision, { outcome: 'allow', changes: [] });
}
