import { Command } from 'commander';

import { BUILD_INFO } from '../telemetry/build-info.ts';
import type { CommandContext } from './context.ts';

/** `jobguard version`: prints what this program is and what it was built from. */
export function versionCommand({ stdout }: Pick<CommandContext, 'stdout'>): Command {
  return new Command('version')
    .description('print version, revision, Node version and policy schema version')
    .addHelpText('after', '\nExample:\n  jobguard version')
    .action(() => {
      const { version, revision, nodeVersion, policyVersion } = BUILD_INFO;
      const rows = [
        ['version', version],
        ['revision', revision === '' ? 'unknown' : revision],
        ['node', nodeVersion],
        ['policy', policyVersion],
      ];
      stdout.write(rows.map((row) => `${row.join(': ')}\n`).join(''));
    });
}
