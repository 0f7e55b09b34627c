import { compilePolicy } from '../../policy/compile.ts';
import { completePolicy } from '../../policy/complete.ts';
import type { PolicyDocument } from '../../policy/document.ts';
import type { CommandContext } from '../context.ts';
import { jsonText } from '../json-text.ts';
import { momentOption } from '../moment-option.ts';
import { readPolicyOption } from '../policy-option.ts';
import { createHistory, type History } from './history.ts';
import type { JudgedUpdate } from './outcome.ts';
import type { Recorded } from './recorded.ts';
import { readLogs } from './recorded-logs.ts';
import { createTally, type Report } from './report.ts';
import { reportText } from './report-text.ts';

type Output = 'text' | 'json' | 'ndjson';

export interface ReplayFlags {
  readonly policy?: string;
  readonly since?: string;
  readonly until?: string;
  readonly namespace?: string;
  readonly output: Output;
  readonly suggest?: true;
}

const PRINTED: Readonly<Record<Output, (report: Report) => string>> = {
  text: reportText,
  json: jsonText,
  // Each line was printed as it came.
  ndjson: () => '',
};

/**
 * Judges the updates in logs, and prints what would be refused.
 *
 * @throws UsageError where a flag, the policy or a file is wrong
 */
export async function replayLogs(
  files: readonly string[],
  flags: ReplayFlags,
  context: Pick<CommandContext, 'stdin' | 'stdout' | 'exitWith'>,
): Promise<void> {
  const isWanted = filterOf(flags);
  const document = await readPolicyOption(flags.policy, context);
  const policy = compilePolicy(completePolicy(document));
  const plurals = [...policy.resources.values()].map(({ resource }) => `"${resource}`);
  const { recorded, lines } = readLogs(files, plurals, context);
  const history = createHistory(policy);
  const tally = createTally();
  for await (const each of recorded) {
    // Also what is not wanted may tell how a job was before an update that is.
    const replayed = replay(history, each);
    if (replayed === 'unrelated' || !isWanted(each)) continue;
    tally.add(replayed);
    if (flags.output === 'ndjson' && typeof replayed !== 'string' && replayed.outcome === 'denied') {
      context.stdout.write(`${JSON.stringify(refusal(replayed))}\n`);
    }
  }
  const report = tally.report(lines());
  context.stdout.write(await printed(report, flags, document));
  if (report.denied > 0) context.exitWith(1);
}

async function printed(report: Report, { output, suggest }: ReplayFlags, document: PolicyDocument): Promise<string> {
  if (suggest !== true) return PRINTED[output](report);
  const { suggestedPolicy } = await import('./suggest.ts');
  return suggestedPolicy(report, document);
}

function replay(history: History, recorded: Recorded): ReturnType<History['replay']> {
  return recorded.kind === 'decision' ? recorded.update : history.replay(recorded.event);
}

function refusal({ time, user, fieldManager, resource, namespace, name, auditID, paths }: JudgedUpdate): object {
  return { time, user: user.username, fieldManager, resource, namespace, name, auditID, paths };
}

function filterOf({ since, until, namespace }: ReplayFlags): (recorded: Recorded) => boolean {
  const from = momentOption('--since', since);
  const to = momentOption('--until', until);
  return ({ time, namespace: at }) =>
    (from === undefined || time >= from) &&
    (to === undefined || time < to) &&
    (namespace === undefined || at === namespace);
}
