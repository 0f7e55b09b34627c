import { deepStrictEqual, strictEqual } from 'node:assert';
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { type AdmissionRequest, parseReview } from '../../src/core/admission.ts';
import { decide, type Decision } from '../../src/core/decide.ts';
import type { Policy } from '../../src/core/policy.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import { readTree, type Tree, valueAt } from '../support/json-tree.ts';
import { expectNoChangeToItself, expectSafeAnswer, judgementOf } from './checks.ts';
import { type Judgement, naiveJudge, type NaivePolicy } from './naive-judge.ts';
import { NOW } from '../support/review.ts';
import { grow, type JobName, reviewText, type Scenario, scenarios } from '../support/random-reviews.ts';
import { POLICIES } from './policies.ts';

/**
 * A worker thread that judges made-up pairs with both judges. It stands outside of jest, in whose module contexts each
 * look-up of a global costs so much that it would judge half as many.
 */
export interface Run {
  readonly policy: keyof typeof POLICIES;
  readonly jobs: readonly JobName[];
  readonly pairs: number;
  readonly seed: number;
}

export interface Result {
  /** What did not hold, with its counterexample; undefined where everything held. */
  readonly failure: string | undefined;
  readonly milliseconds: number;
  /** How often each outcome was seen for a mutated job, and each kind of mutation. */
  readonly seen: ReadonlyMap<string, number>;
}

const INVERSE = { add: 'remove', remove: 'add', replace: 'replace' } as const;

if (parentPort) {
  parentPort.postMessage(await judgePairs(workerData as Run));
}

async function judgePairs({ policy: name, jobs, pairs, seed }: Run): Promise<Result> {
  const { document, naive } = POLICIES[name];
  const policy = compilePolicy(completePolicy(document));
  const seen = new Map<string, number>();
  const judges = fc.property(scenarios(jobs), (scenario) => {
    const update = grow(scenario);
    const text = reviewText(scenario, update);
    const request = parseReview(text);
    const review = readTree(text);
    const judgement = naiveJudge(naive, review);
    const { decision } = decide(policy, request, NOW);
    deepStrictEqual(judgementOf(decision), judgement);
    expectNeededExemptions(decision, naive, review);
    expectSafeAnswer(policy, request);
    expectNoChangeToItself(policy, request);
    if (isSymmetric(naive, review)) expectSameOfSwapped(policy, request, judgement);
    if (update.applied.length > 0) count(seen, [judgement.outcome, ...update.applied]);
  });
  const started = performance.now();
  const details = fc.check(judges, { seed, numRuns: pairs });
  return { failure: await failureOf(details), milliseconds: performance.now() - started, seen };
}

/** Says in fast-check's words what did not hold and for which scenario, and shows the review that came of it. */
async function failureOf(details: fc.RunDetails<[Scenario]>): Promise<string | undefined> {
  if (details.counterexample === null) return undefined;
  const [scenario] = details.counterexample;
  const message = await fc.asyncDefaultReportMessage(details);
  return `${String(details.errorInstance)}\n\n${message}\n\n${reviewText(scenario, grow(scenario))}`;
}

/** The exemptions that are named suffice, and none of them can be missed. */
function expectNeededExemptions(decision: Decision, policy: NaivePolicy, review: Tree): void {
  if (decision.outcome !== 'exempt') return;
  const outcomeWith = (names: readonly string[]): string =>
    naiveJudge({ ...policy, exemptions: policy.exemptions.filter(({ name }) => names.includes(name)) }, review).outcome;
  const { exemptions } = decision;
  strictEqual(outcomeWith(exemptions), 'exempt');
  for (const name of exemptions) strictEqual(outcomeWith(exemptions.filter((other) => other !== name)), 'deny', name);
}

/** Tells whether the stored job opens nothing by its own state: one that terminates does, and one that is suspended. */
function isSymmetric(policy: NaivePolicy, review: Tree): boolean {
  if (policy.suspendedJobs) return false;
  return ['object', 'oldObject'].every(
    (side) => typeof valueAt(review, 'request', side, 'metadata', 'deletionTimestamp') !== 'string',
  );
}

/** What is a change one way is its opposite the other way. */
function expectSameOfSwapped(policy: Policy, request: AdmissionRequest, judgement: Judgement): void {
  const { decision } = decide(policy, { ...request, object: request.oldObject, oldObject: request.object }, NOW);
  const denied = judgement.denied.map(({ op, pointer: path }) => ({ op: INVERSE[op], pointer: path }));
  deepStrictEqual(judgementOf(decision), { ...judgement, denied });
}

function count(seen: Map<string, number>, keys: readonly string[]): void {
  for (const key of keys) seen.set(key, (seen.get(key) ?? 0) + 1);
}
