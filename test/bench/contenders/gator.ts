import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../../../tools/child-process.ts';
import { goTool } from '../../../tools/go/tool.ts';
import { at } from '../../../tools/json-at.ts';
import { celRule, celRunPolicy } from '../cel-rule.ts';
import type { Site } from '../contender.ts';
import type { Judge } from '../in-process.ts';

const VERSION = 'v3.23.1';
const MESSAGE = 'only five fields may change';

/** Gatekeeper with a rule that compares paths, and so can say which changed. */
export const gator: Judge = gatorWith('gator-rego', 1.7e6, 'Rego, path by path', () => regoFrom('rule.rego'));

/** Gatekeeper with the cheapest rule in Rego that gives the verdict. */
export const gatorWithoutPaths: Judge = gatorWith('gator-json-remove', 15e6, 'Rego, json.remove', () =>
  regoFrom('rule-without-paths.rego'),
);

/** Gatekeeper with the rule in CEL, as a ValidatingAdmissionPolicy has it. */
export const gatorCel: Judge = gatorWith('gator-cel', 20e6, 'CEL', () => Promise.resolve(CEL));

/** Where a ConstraintTemplate has its rule. */
interface Code {
  readonly engine: 'Rego' | 'K8sNativeValidation';
  readonly source: object;
}

function gatorWith(name: string, bytesPerSecond: number, description: string, code: () => Promise<Code>): Judge {
  return {
    name,
    bytesPerSecond,
    prepare: async (site) => {
      const command = await goTool({
        name: 'gator',
        package: 'github.com/open-policy-agent/gatekeeper/v3/cmd/gator',
        version: VERSION,
        override: 'GATOR',
      });
      const rule = await code();
      const policies = await writePolicies(site, name, rule);
      const engine = rule.engine === 'Rego' ? 'rego' : 'cel';
      const bench = async (reviewFile: string, times: number): Promise<unknown> => {
        const files = ['--filename', policies, '--filename', reviewFile];
        const args = ['bench', ...files, '--engine', engine, '--iterations', String(times), '--warmup', '1'];
        const { code, stdout, stderr } = await run(command, [...args, '--output', 'json']);
        if (code !== 0) throw new Error(stderr);
        return at(JSON.parse(stdout), 0);
      };
      return {
        version: `gator bench ${VERSION}, ${description}`,
        allows: async (reviewFile) => at(await bench(reviewFile, 1), 'violationCount') === 0,
        microseconds: async (reviewFile, times) => 1e6 / Number(at(await bench(reviewFile, times), 'reviewsPerSecond')),
      };
    },
  };
}

async function writePolicies({ folder }: Site, name: string, code: Code): Promise<string> {
  const template = {
    apiVersion: 'templates.gatekeeper.sh/v1',
    kind: 'ConstraintTemplate',
    metadata: { name: 'fivefields' },
    spec: {
      crd: { spec: { names: { kind: 'FiveFields' } } },
      targets: [{ target: 'admission.k8s.gatekeeper.sh', code: [code] }],
    },
  };
  const constraint = {
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind: 'FiveFields',
    metadata: { name: 'five-fields' },
  };
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, [template, constraint].map((object) => JSON.stringify(object)).join('\n---\n'));
  return file;
}

/**
 * Makes OPA's rule one of Gatekeeper's. `gator bench` reviews objects and knows no old one, so that it is given the whole
 * AdmissionReview as the object.
 */
async function regoFrom(file: string): Promise<Code> {
  const rule = await readFile(join(import.meta.dirname, '../servers', file), 'utf8');
  const rego = `${rule.replaceAll('input.request', 'input.review.object.request')}
violation contains {"msg": "${MESSAGE}"} if not allowed
`;
  return { engine: 'Rego', source: { version: 'v1', rego } };
}

const NAMES = {
  object: 'variables.object',
  oldObject: 'variables.oldObject',
  runPolicy: 'variables.runPolicy',
  oldRunPolicy: 'variables.oldRunPolicy',
};

const CEL: Code = {
  engine: 'K8sNativeValidation',
  source: {
    variables: [
      { name: 'object', expression: 'object.request.object' },
      { name: 'oldObject', expression: 'object.request.oldObject' },
      { name: 'runPolicy', expression: celRunPolicy(NAMES.object) },
      { name: 'oldRunPolicy', expression: celRunPolicy(NAMES.oldObject) },
    ],
    validations: [{ expression: celRule(NAMES), message: MESSAGE }],
  },
};
