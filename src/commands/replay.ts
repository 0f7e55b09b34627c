import { Command, Option } from 'commander';

import type { CommandContext } from './context.ts';
import type { ReplayFlags } from './replay/replay-logs.ts';

/** `jobguard replay`: judges recorded updates. */
export function replayCommand(context: Pick<CommandContext, 'stdin' | 'stdout' | 'exitWith'>): Command {
  return new Command('replay')
    .description('judge the updates that an audit log has recorded: what would be refused, and to whom')
    .argument('<file...>', "kube-apiserver's audit logs, or jobguard's own log; gzipped or not; - reads stdin")
    .option('--policy <file>', 'policy file (default: the built-in policy)')
    .option('--since <time>', 'judge nothing that is older than this day or moment (RFC 3339)')
    .option('--until <time>', 'judge only what is older than this day or moment (RFC 3339)')
    .option('--namespace <namespace>', 'judge only the jobs of this namespace')
    .addOption(
      new Option(
        '-o, --output <format>',
        'text; json: one report; ndjson: a line for each update that would be refused',
      )
        .choices(['text', 'json', 'ndjson'])
        .default('text'),
    )
    .addOption(
      new Option('--suggest', 'print the smallest policy under which no controller would be refused').conflicts(
        'output',
      ),
    )
    .addHelpText('after', EXAMPLE)
    .action(async (files: readonly string[], flags: ReplayFlags) => {
      const { replayLogs } = await import('./replay/replay-logs.ts');
      await replayLogs(files, flags, context);
    });
}

const EXAMPLE = `
Exits with 0 if no update would be refused, 1 if one would, 2 if a file cannot be read. Audit logs have to be of
level RequestResponse for the guarded resources: without responses nobody knows what an update changed.

Examples:
  jobguard replay /var/log/kubernetes/audit*.log --policy policy.yaml
  zcat audit.log.gz | jobguard replay - --since 2026-11-01 -o json
  jobguard replay audit.log --suggest > policy.yaml`;
