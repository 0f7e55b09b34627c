import { expect, test } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type AdmissionRequest, parseReview } from '../../src/core/admission.ts';
import { decide, type Decision } from '../../src/core/decide.ts';
import { explain } from '../../src/core/explain.ts';
import { parsePointer } from '../../src/core/path.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import type { CompletePolicy } from '../../src/policy/document.ts';
import { matchCondition } from '../../src/policy/match-condition.ts';
import { at } from '../../tools/json-at.ts';
import { JOBS } from '../property/judge-pairs.ts';
import { POLICIES } from '../property/policies.ts';
import { jobFor } from '../bench/reviews.ts';
import { grow, reviewText, scenarios } from '../support/random-reviews.ts';
import { reviewText as updateText } from '../support/review.ts';
import { describeChart } from './layer.ts';
import { evaluate, KUBERNETES_VERSIONS, type Evaluation, type KubernetesVersion } from './match-condition-program.ts';

/** Another one in each run; in the title, so that a failure can be seen again. */
const SEED = Number(process.env['JOBGUARD_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const TIMEOUT_MS = 600_000;
/** No policy here has an exemption that expires. */
const NOW = new Date('2026-01-02T03:04:05Z');

/** What an API server spends on one expression, in its own unit. Source: k8s.io/apiserver pkg/apis/cel/config.go. */
const COST_LIMIT = 1_000_000;

interface Judged {
  readonly text: string;
  readonly request: AdmissionRequest;
  readonly decision: Decision;
  readonly warnings: readonly string[];
}

/** Judges made-up updates of the resources that a policy guards, as the mode `enforce` would. */
function judgedPairs(name: keyof typeof POLICIES, count: number): Judged[] {
  const complete = completePolicy(POLICIES[name].document);
  const policy = compilePolicy(complete);
  const isRegistered = ({ operation, resource, subResource }: AdmissionRequest): boolean =>
    operation === 'UPDATE' &&
    subResource !== 'status' &&
    complete.resources.some((each) => each.group === resource.group && each.resource === resource.resource);
  const judged: Judged[] = [];
  for (const scenario of fc.sample(scenarios(JOBS[name]), { numRuns: count, seed: SEED })) {
    const text = reviewText(scenario, grow(scenario)).replaceAll('\n', ' ');
    const request = parseReview(text);
    if (!isRegistered(request)) continue;
    const verdict = decide(policy, request, NOW);
    const { warnings } = explain(policy, request, { ...verdict, mode: 'enforce' });
    judged.push({ text, request, decision: verdict.decision, warnings });
  }
  return judged;
}

/** Whether an update may go unasked: everybody, or the garbage collector, may make it, and nothing is to be warned of. */
function mayPassUnasked({ decision, warnings }: Judged): boolean {
  if (warnings.length > 0) return false;
  if (decision.outcome === 'exempt') return decision.exemptions.every((name) => name === 'garbageCollector');
  return decision.outcome === 'allow';
}

const SERVER_OWNED = [
  ...['managedFields', 'generation', 'resourceVersion', 'selfLink', 'uid', 'creationTimestamp'],
  ...['deletionTimestamp', 'deletionGracePeriodSeconds'],
];

/** Why the API server asks about an update that everybody may make. There is no other reason. */
const SCALE = 'asked about a Scale';
const UNUSUAL_VALUE = 'asked about a value in an unusual spelling, such as 60.0, [] or {}';
const UNUSUAL = /"(activeDeadlineSeconds|ttlSecondsAfterFinished|cleanPodPolicy)":(-?\d*[.e]|[[{])/i;
const OTHER_PLACE = 'asked about a respelling, a path with a *, or a struct that comes or goes';
const REASONS = [SCALE, UNUSUAL_VALUE, OTHER_PLACE];

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is left of an object when all that may change unasked is taken out. */
function protectedPart(object: unknown, paths: readonly string[]): unknown {
  const rest: unknown = structuredClone(object);
  for (const path of paths) {
    const keys = parsePointer(path)?.map(String) ?? [];
    const parent = at(rest, ...keys.slice(0, -1));
    const above = keys.map((_key, index) => at(rest, ...keys.slice(0, index)));
    if (isMap(parent) && above.every(isMap)) Reflect.deleteProperty(parent, keys.at(-1) ?? '');
  }
  const [spec, runPolicy] = [at(rest, 'spec'), at(rest, 'spec', 'runPolicy')];
  // What the CRD writes into a first runPolicy.
  const isFirst =
    isMap(runPolicy) && Object.entries(runPolicy).every(([key, value]) => key === 'suspend' && value === false);
  const isWalked = paths.some((path) => path.startsWith('/spec/runPolicy/'));
  if (isMap(spec) && isFirst && isWalked) delete spec['runPolicy'];
  return rest;
}

/** Why an update that everybody may make is asked about all the same. */
function reasonToAsk(complete: CompletePolicy, { text, request }: Judged): string {
  if (request.subResource !== '') return SCALE;
  if (UNUSUAL.test(text)) return UNUSUAL_VALUE;
  const { object, oldObject } = at(JSON.parse(text), 'request') as Record<string, unknown>;
  const isTerminating = typeof at(oldObject, 'metadata', 'deletionTimestamp') === 'string';
  const metadata = [...SERVER_OWNED, ...(isTerminating ? ['finalizers', 'ownerReferences'] : [])];
  const own = complete.resources.find(({ resource }) => resource === request.resource.resource)?.allow ?? [];
  const allowed = [...complete.allow, ...own].filter((path) => !path.includes('*'));
  const paths = [...allowed, ...metadata.map((field) => `/metadata/${field}`)];
  const [now, before] = [protectedPart(object, paths), protectedPart(oldObject, paths)];
  return isDeepStrictEqual(now, before) ? 'no reason' : OTHER_PLACE;
}

const DEFAULT_CONDITION = matchCondition(completePolicy(POLICIES.default.document));

const highest = (evaluations: readonly Evaluation[]): number => Math.max(...evaluations.map(({ cost }) => cost));

describeChart(`the matchCondition beside the judge, for updates made up with JOBGUARD_SEED=${SEED}`, () => {
  test.each<{ readonly name: keyof typeof POLICIES; readonly pairs: number }>([
    { name: 'default', pairs: 14_000 },
    { name: 'presets', pairs: 6_000 },
    { name: 'own', pairs: 6_000 },
  ])(
    'the policy "$name": whatever is not asked is allowed without a warning, and what is asked has a reason',
    async ({ name, pairs }) => {
      const complete = completePolicy(POLICIES[name].document);
      const judged = judgedPairs(name, pairs);
      const evaluations = await evaluate(
        matchCondition(complete),
        judged.map(({ text }) => text),
      );
      expect(evaluations).toHaveLength(judged.length);
      const unsound: string[] = [];
      const unexplained: string[] = [];
      const counts: Record<string, number> = {};
      evaluations.forEach(({ result }, index) => {
        const pair = judged[index];
        if (pair === undefined) return;
        if (result === 'not asked' && !mayPassUnasked(pair)) unsound.push(pair.text);
        const isAsked = result === 'asked' && pair.decision.outcome === 'allow' && pair.warnings.length === 0;
        const key = isAsked ? reasonToAsk(complete, pair) : result;
        counts[key] = (counts[key] ?? 0) + 1;
        if (key === 'no reason') unexplained.push(pair.text);
      });
      process.stdout.write(
        `${name}: ${judged.length} pairs, ${JSON.stringify(counts)}, highest cost ${highest(evaluations)}\n`,
      );
      expect(unsound.slice(0, 3)).toEqual([]);
      expect(unexplained.slice(0, 3)).toEqual([]);
      const expected = ['asked', 'not asked', 'numbers', ...REASONS];
      expect(Object.keys(counts).filter((key) => !expected.includes(key))).toEqual([]);
      expect(counts['not asked']).toBeGreaterThan(judged.length / 20);
      expect(highest(evaluations)).toBeLessThan(COST_LIMIT);
    },
    TIMEOUT_MS,
  );

  test.each<{ what: string; object: object; result: Evaluation['result'] }>([
    { what: 'a job of 1.5 MiB', object: jobFor(1_500_000), result: 'not asked' },
    { what: '1.5 MiB in 10 000 annotations', object: annotated(10_000), result: 'not asked' },
    { what: '1.5 MiB in 700 replica types', object: withReplicaTypes(700), result: 'not asked' },
    { what: '1.5 MiB in maps 2000 levels deep', object: { spec: { unknown: nested(2000) } }, result: 'not asked' },
    { what: 'a list of 250 000 elements', object: { spec: { list: Array(250_000).fill(1) } }, result: 'not asked' },
    { what: '900 keys in each map that is walked', object: withKeys(900), result: 'not asked' },
    { what: '1000 keys there', object: withKeys(1000), result: 'asked' },
  ])(
    '$what, when an allowed field changes: $result, at less than the API server spends',
    async ({ object, result }) => {
      const text = updateText({ oldObject: withTtl(object, 60), object: withTtl(object, 61) });
      const [evaluation] = await evaluate(DEFAULT_CONDITION, [text]);
      process.stdout.write(`${JSON.stringify(evaluation)}\n`);
      expect(evaluation).toEqual({ result, cost: expect.any(Number) });
      expect(evaluation?.cost).toBeLessThan(COST_LIMIT);
    },
  );

  test(
    'every version of Kubernetes compiles it and answers the same',
    async () => {
      const reviews = judgedPairs('default', 200).map(({ text }) => text);
      const answersOf = async (version: KubernetesVersion): Promise<string[]> => {
        const evaluations = await evaluate(DEFAULT_CONDITION, reviews, version);
        return evaluations.map(({ result }) => result);
      };
      const oldest = await answersOf(KUBERNETES_VERSIONS[0]);
      for (const version of KUBERNETES_VERSIONS) expect(await answersOf(version)).toEqual(oldest);
    },
    TIMEOUT_MS,
  );
});

function mapOf(prefix: string, count: number, value: unknown): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}-${index}`, value]));
}

function annotated(count: number): object {
  return { metadata: { name: 'mnist', annotations: mapOf('note', count, 'x'.repeat(140)) } };
}

function withReplicaTypes(count: number): object {
  const containers = [{ name: 'tensorflow', image: 'train:v1', args: ['x'.repeat(2000)] }];
  return { spec: { tfReplicaSpecs: mapOf('type', count, { replicas: 1, template: { spec: { containers } } }) } };
}

/** As many keys in each map that the condition walks. */
function withKeys(count: number): object {
  const text = 'x'.repeat(100);
  return {
    ...mapOf('top', count, text),
    metadata: { name: 'mnist', ...mapOf('metadata', count, text) },
    spec: { ...mapOf('spec', count, text), runPolicy: mapOf('policy', count, text) },
  };
}

function nested(levels: number): object {
  let map: object = {};
  for (let level = 0; level < levels; level += 1) map = { ['k'.repeat(750)]: map };
  return map;
}

function withTtl(object: object, seconds: number): object {
  const mapAt = (...keys: string[]): object => ({ ...(at(object, ...keys) as object | undefined) });
  const runPolicy = { ...mapAt('spec', 'runPolicy'), ttlSecondsAfterFinished: seconds };
  return { ...object, metadata: { name: 'mnist', ...mapAt('metadata') }, spec: { ...mapAt('spec'), runPolicy } };
}
