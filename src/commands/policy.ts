import { Command, Option } from 'commander';

import { parsePointer } from '../core/path.ts';
import type { CompletePolicy } from '../policy/document.ts';
import { explainField } from '../policy/explanation.ts';
import { policyHash } from '../policy/hash.ts';
import { matchCondition } from '../policy/match-condition.ts';
import type { CommandContext } from './context.ts';
import { jsonText } from './json-text.ts';
import { completePolicyOption } from './policy-option.ts';
import { explanationText } from './policy-text.ts';
import { UsageError } from './usage-error.ts';

type Output = 'yaml' | 'json' | 'match-condition';

interface PolicyFlags {
  readonly policy?: string;
  /** A JSON Pointer. */
  readonly explain?: string;
  readonly output: Output;
}

const PRINTED: Readonly<Record<Output, (policy: CompletePolicy) => string | Promise<string>>> = {
  yaml: yamlText,
  json: (policy) => jsonText({ hash: policyHash(policy), policy }),
  'match-condition': (policy) => `${matchCondition(policy)}\n`,
};

/** `jobguard policy`: prints the effective policy with its hash, when the API server has to ask, or who may change a field. */
export function policyCommand(context: Pick<CommandContext, 'stdin' | 'stdout'>): Command {
  return new Command('policy')
    .description('print the effective policy, every default and preset written out, and its hash')
    .option('--policy <file>', 'policy file (default: the built-in policy)')
    .option(
      '--explain <path>',
      'print who may change this field, and why; a JSON Pointer such as /spec/runPolicy/suspend',
    )
    .addOption(
      new Option(
        '-o, --output <format>',
        "yaml: a policy file; json: {hash, policy}; match-condition: the CEL expression of the webhook's matchCondition",
      )
        .choices(Object.keys(PRINTED))
        .default('yaml'),
    )
    .addHelpText('after', EXAMPLE)
    .action(async ({ policy: file, explain, output }: PolicyFlags) => {
      const policy = await completePolicyOption(file, context);
      context.stdout.write(
        explain === undefined ? await PRINTED[output](policy) : await explained(policy, explain, output),
      );
    });
}

const EXAMPLE = `
Exits with 0, or with 2 if the policy file is invalid.

Examples:
  jobguard policy --policy policy.yaml
  jobguard policy --policy policy.yaml --explain /spec/runPolicy/suspend
  jobguard policy --policy policy.yaml --output match-condition`;

async function explained(policy: CompletePolicy, path: string, output: Output): Promise<string> {
  // Loaded here: it brings the schema, which the other outputs of the default policy do not need.
  const { misaskedPath } = await import('../policy/field-rules.ts');
  const problem = misaskedPath(path, policy);
  if (problem !== undefined) throw new UsageError([`--explain: ${problem}`]);
  const resources = explainField(parsePointer(path) ?? [], policy, new Date());
  return output === 'json' ? jsonText({ path, resources }) : explanationText(resources);
}

async function yamlText(policy: CompletePolicy): Promise<string> {
  const { stringify } = await import('yaml');
  const { POLICY_SCHEMA_ADDRESS } = await import('../policy/schema-address.ts');
  const yaml = stringify(policy, { aliasDuplicateObjects: false, lineWidth: 0 });
  return `# The effective policy of jobguard, hash ${policyHash(policy)}
# yaml-language-server: $schema=${POLICY_SCHEMA_ADDRESS}
${yaml}`;
}
