import { decide } from '../../core/decide.ts';
import { explain } from '../../core/explain.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { momentOption } from '../moment-option.ts';
import { loadPolicyOption } from '../policy-option.ts';
import { UsageError } from '../usage-error.ts';
import { readInputs, requireOneStdin, type InputFlags } from './inputs.ts';
import type { Judged } from './judged.ts';
import { reportText, type Output } from './report.ts';

/** The flags of `check`. */
export interface CheckFlags extends InputFlags {
  /** When the update is judged; without it now. */
  readonly at?: string;
  readonly output: Output;
}

/** What `check` needs of the process. */
export type CheckContext = Pick<CommandContext, 'stdin' | 'stdout' | 'hasColour' | 'exitWith'>;

/**
 * Judges the updates that the command line of `check` is about, prints the verdicts and sets the exit code.
 *
 * @throws UsageError where the files or the policy cannot be judged by
 */
export async function judgeFiles(files: readonly string[], flags: CheckFlags, context: CheckContext): Promise<void> {
  try {
    await printVerdicts(files, flags, context);
  } catch (error) {
    // Of a fault the exit code would be 1, which means "denied".
    throw error instanceof RangeError ? new UsageError(['an object or a patch is nested too deeply']) : error;
  }
}

async function printVerdicts(files: readonly string[], flags: CheckFlags, context: CheckContext): Promise<void> {
  const now = momentOption('--at', flags.at) ?? new Date();
  requireOneStdin(files, flags);
  const policy = await loadPolicyOption(flags.policy, context);
  const { items, ...others } = await readInputs(files, flags, policy, context);
  const judged = items.map(({ request, source }): Judged => {
    const verdict = decide(policy, request, now);
    // As mode `enforce` would say it: in mode `warn` the warnings would repeat the changes that are listed anyway.
    return { request, source, verdict, explanation: explain(policy, request, { ...verdict, mode: 'enforce' }) };
  });
  context.stdout.write(reportText({ ...others, judged }, flags.output, context.hasColour));
  context.exitWith(exitCodeOf(judged));
}

/** 2 if any cannot be judged, 1 if any is denied. */
function exitCodeOf(judged: readonly Judged[]): ExitCode {
  const outcomes = new Set(judged.map(({ verdict }) => verdict.decision.outcome));
  if (outcomes.has('unjudgeable')) return 2;
  return outcomes.has('deny') ? 1 : 0;
}
