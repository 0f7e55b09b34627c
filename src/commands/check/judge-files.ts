import { decide } from '../../core/decide.ts';
import { explain } from '../../core/explain.ts';
import type { Policy } from '../../core/policy.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { requireOneStdin } from '../manifests/one-stdin.ts';
import { momentOption } from '../moment-option.ts';
import { loadPolicyOption } from '../policy-option.ts';
import { UsageError } from '../usage-error.ts';
import { answeredJudgement } from './answered.ts';
import { readInputs, type InputFlags } from './inputs.ts';
import type { Judged } from './judged.ts';
import { reportText, type Output } from './report.ts';

/** The flags of `check`. */
export interface CheckFlags extends InputFlags {
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
  requireOneStdin(stdinPlaces(files, flags));
  const policy = await policyFor(flags, context);
  const { items, ...others } = await readInputs(files, flags, policy, context);
  const judged = items.map(({ request, source, answer }): Judged => {
    if (answer !== undefined) return { ...answeredJudgement(policy, request, answer), source };
    const verdict = decide(policy, request, now);
    // As mode `enforce` would say it: in mode `warn` the warnings would repeat the changes that are listed anyway.
    return { request, source, verdict, explanation: explain(policy, request, { ...verdict, mode: 'enforce' }) };
  });
  context.stdout.write(reportText({ ...others, judged }, flags.output, context.hasColour));
  context.exitWith(exitCodeOf(judged));
}

/** A cluster judges by its own policy, so that here only the kinds count, unless there is a candidate. */
async function policyFor(flags: CheckFlags, context: CheckContext): Promise<Policy> {
  if (flags.live !== true || flags.policy !== undefined) return loadPolicyOption(flags.policy, context);
  const { policyOfKnownKinds } = await import('../live/live-job.ts');
  return policyOfKnownKinds();
}

function stdinPlaces(files: readonly string[], flags: CheckFlags): Readonly<Record<string, string | undefined>> {
  const { live = false, patchFile, review, policy } = flags;
  const paths = Object.fromEntries(
    files.map((file, index) => [live ? `NEW ${index + 1}` : (['OLD', 'NEW'][index] ?? ''), file]),
  );
  return { ...paths, '--patch-file': patchFile, '--review': review, '--policy': policy };
}

/** 2 if any cannot be judged, 1 if any is denied. */
function exitCodeOf(judged: readonly Judged[]): ExitCode {
  const outcomes = new Set(judged.map(({ verdict }) => verdict.decision.outcome));
  if (outcomes.has('unjudgeable')) return 2;
  return outcomes.has('deny') ? 1 : 0;
}
