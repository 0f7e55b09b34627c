import { Command } from 'commander';

import type { CompletePolicy } from '../policy/document.ts';
import { policyHash } from '../policy/hash.ts';
import type { CommandContext } from './context.ts';
import { completePolicyOption } from './policy-option.ts';

interface PolicyFlags {
  readonly policy?: string;
}

/** `jobguard policy`: prints the effective policy as a policy file that says the same. */
export function policyCommand(context: Pick<CommandContext, 'stdin' | 'stdout'>): Command {
  return new Command('policy')
    .description('print the effective policy, every default and preset written out, and its hash')
    .option('--policy <file>', 'policy file (default: the built-in policy)')
    .addHelpText('after', EXAMPLE)
    .action(async ({ policy: file }: PolicyFlags) => {
      context.stdout.write(await policyText(await completePolicyOption(file, context)));
    });
}

const EXAMPLE = `
Exits with 0, or with 2 if the policy file is invalid.

Example:
  jobguard policy --policy policy.yaml`;

async function policyText(policy: CompletePolicy): Promise<string> {
  const { stringify } = await import('yaml');
  const yaml = stringify(policy, { aliasDuplicateObjects: false, lineWidth: 0 });
  return `# The effective policy of jobguard, hash ${policyHash(policy)}
# yaml-language-server: $schema=schemas/policy.schema.json
${yaml}`;
}
