import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../../../tools/child-process.ts';
import { goTool } from '../../../tools/go/tool.ts';
import { celRule, celRunPolicy } from '../cel-rule.ts';
import type { Judge } from '../in-process.ts';

const MODULE = 'github.com/kyverno/kyverno';
const VERSION = 'v1.19.1';
/** At twice as many the rule exceeds what Kyverno lets an expression cost, which is counted over the whole payload. */
const MOST_REVIEWS = 2_000;
/** A difference of two runs has the noise of both, so that each is the fastest of some. */
const RUNS = 3;

/**
 * Kyverno's CEL engine, as `kyverno apply` runs it.
 *
 * For an UPDATE of a resource `kyverno apply` has the old object be the new one (AdmissionRequestShape in its
 * processor/operation.go), so that AdmissionReviews are given to it as JSON payloads, which it also judges. A payload holds
 * many of them: what it takes longer over many than over one is the parsing and judging of a review, without the start of
 * the process and the compilation of the policy, which a webhook does not do for each either.
 */
export const kyverno: Judge = {
  name: 'kyverno',
  bytesPerSecond: 20e6,
  prepare: async ({ folder }) => {
    const command = await goTool({
      name: 'kyverno',
      package: `${MODULE}/cmd/cli/kubectl-kyverno`,
      module: MODULE,
      version: VERSION,
      override: 'KYVERNO',
    });
    const policyFile = join(folder, 'kyverno-policy.yaml');
    const payloadFile = join(folder, 'kyverno-payload.json');
    await writeFile(policyFile, JSON.stringify(POLICY));
    const apply = async (reviewFile: string, times: number): Promise<Applied> => {
      const reviews = Array.from<string>({ length: times }).fill(await readFile(reviewFile, 'utf8'));
      await writeFile(payloadFile, `{"reviews":[${reviews.join(',')}]}`);
      const start = performance.now();
      const { stdout, stderr } = await run(command, ['apply', policyFile, '--json', payloadFile, '--remove-color']);
      const ms = performance.now() - start;
      const [, passed, failed] = /pass: (\d+), fail: (\d+), warn: 0, error: 0, skip: 0/.exec(stdout) ?? [];
      if (Number(passed) + Number(failed) !== 1) throw new Error(`${stdout}${stderr}`);
      return { allowed: passed === '1', ms };
    };
    return {
      version: `kyverno apply ${VERSION}, ValidatingPolicy in CEL`,
      allows: async (reviewFile) => (await apply(reviewFile, 1)).allowed,
      microseconds: async (reviewFile, times) => {
        const more = Math.min(times, MOST_REVIEWS - 1);
        const fastest = async (reviews: number): Promise<number> => {
          const runs: number[] = [];
          for (let count = 0; count < RUNS; count += 1) runs.push((await apply(reviewFile, reviews)).ms);
          return Math.min(...runs);
        };
        return (((await fastest(1 + more)) - (await fastest(1))) * 1_000) / more;
      },
    };
  },
};

interface Applied {
  readonly allowed: boolean;
  readonly ms: number;
}

const NAMES = { object: 'updated', oldObject: 'old', runPolicy: 'runPolicy', oldRunPolicy: 'oldRunPolicy' };

/** What a policy's variables would do, which cannot be of one review of many. */
const BINDINGS: [string, string][] = [
  [NAMES.object, 'review.request.object'],
  [NAMES.oldObject, 'review.request.oldObject'],
  [NAMES.runPolicy, celRunPolicy(NAMES.object)],
  [NAMES.oldRunPolicy, celRunPolicy(NAMES.oldObject)],
];

const RULE = BINDINGS.reduceRight((rule, [name, value]) => `cel.bind(${name}, ${value}, ${rule})`, celRule(NAMES));

const POLICY = {
  apiVersion: 'policies.kyverno.io/v1',
  kind: 'ValidatingPolicy',
  metadata: { name: 'five-fields' },
  spec: {
    evaluation: { mode: 'JSON' },
    matchConstraints: { resourceRules: [] },
    validations: [{ expression: `object.reviews.all(review, ${RULE})`, message: 'only five fields may change' }],
  },
};
