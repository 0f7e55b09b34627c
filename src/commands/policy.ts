import { Command, Option } from 'commander';

import type { CompletePolicy } from '../policy/document.ts';
import { policyHash } from '../policy/hash.ts';
import { matchCondition } from '../policy/match-condition.ts';
import type { CommandContext } from './context.ts';
import { completePolicyOption } from './policy-option.ts';

type Output = 'yaml' | 'json' | 'match-condition';

interface PolicyFlags {
  readonly policy?: string;
  readonly output: Output;
}

const PRINTED: Readonly<Record<Output, (policy: CompletePolicy) => string | Promise<string>>> = {
  yaml: yamlText,
  json: (policy) => `${JSON.stringify({ hash: policyHash(policy), policy }, undefined, 2)}\n`,
  'match-condition': (policy) => `${matchCondition(policy)}\n`,
};

/** `jobguard policy`: prints the effective policy with its hash, or when the API server has to ask. */
export function policyCommand(context: Pick<CommandContext, 'stdin' | 'stdout'>): Command {
  return new Command('policy')
    .description('print the effective policy, every default and preset written out, and its hash')
    .option('--policy <file>', 'policy file (default: the built-in policy)')
    .addOption(
      new Option(
        '-o, --output <format>',
        "yaml: a policy file; json: {hash, policy}; match-condition: the CEL expression of the webhook's matchCondition",
      )
        .choices(Object.keys(PRINTED))
        .default('yaml'),
    )
    .addHelpText('after', EXAMPLE)
    .action(async ({ policy: file, output }: PolicyFlags) => {
      context.stdout.write(await PRINTED[output](await completePolicyOption(file, context)));
    });
}

const EXAMPLE = `
Exits with 0, or with 2 if the policy file is invalid.

Examples:
  jobguard policy --policy policy.yaml
  jobguard policy --policy policy.yaml --output match-condition`;

async function yamlText(policy: CompletePolicy): Promise<string> {
  const { stringify } = await import('yaml');
  const yaml = stringify(policy, { aliasDuplicateObjects: false, lineWidth: 0 });
  return `# The effective policy of jobguard, hash ${policyHash(policy)}
# yaml-language-server: $schema=schemas/policy.schema.json
${yaml}`;
}
