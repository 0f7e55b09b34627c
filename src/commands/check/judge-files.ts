import { InvalidReviewError, parseReview, type AdmissionRequest } from '../../core/admission.ts';
import { decide, type Decision } from '../../core/decide.ts';
import { explain } from '../../core/explain.ts';
import type { Policy } from '../../core/policy.ts';
import { parseMoment } from '../../policy/moment.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { jsonText } from '../json-text.ts';
import { loadPolicyOption } from '../policy-option.ts';
import { readText } from '../text-file.ts';
import { updateRequest, type UpdateFlags } from './update-request.ts';
import { verdictDocument, verdictText } from './verdict-text.ts';
import { UsageError } from '../usage-error.ts';

/** The flags of `check`. */
export interface CheckFlags extends UpdateFlags {
  readonly policy?: string;
  readonly review?: string;
  /** When the update is judged; without it now. */
  readonly at?: string;
  readonly output: 'text' | 'json';
}

/** What `check` needs of the process. */
export type CheckContext = Pick<CommandContext, 'stdin' | 'stdout' | 'hasColour' | 'exitWith'>;

type Files = readonly [oldFile: string | undefined, newFile: string | undefined];

/**
 * Judges the update that the files of `check` describe, prints the verdict and sets the exit code.
 *
 * @throws UsageError where the files or the policy cannot be judged by; for programs it is printed instead
 */
export async function judgeFiles(files: Files, flags: CheckFlags, context: CheckContext): Promise<void> {
  try {
    await printVerdict(files, flags, context);
  } catch (error) {
    if (!(error instanceof UsageError) || flags.output === 'text') throw error;
    context.stdout.write(jsonText({ error: error.message }));
    context.exitWith(2);
  }
}

async function printVerdict(files: Files, flags: CheckFlags, context: CheckContext): Promise<void> {
  const policy = await loadPolicyOption(flags.policy, context);
  const request = await readRequest(files, flags, policy, context);
  const verdict = decide(policy, request, momentOf(flags));
  // As mode `enforce` would say it: in mode `warn` the warnings would repeat the changes that are listed anyway.
  const explanation = explain(policy, request, { ...verdict, mode: 'enforce' });
  const judgement = { request, verdict, explanation };
  context.stdout.write(
    flags.output === 'json' ? jsonText(verdictDocument(judgement)) : verdictText(judgement, context.hasColour),
  );
  context.exitWith(EXIT_CODES[verdict.decision.outcome]);
}

function momentOf({ at }: CheckFlags): Date {
  const moment = at === undefined ? new Date() : parseMoment(at);
  if (moment !== undefined) return moment;
  throw new UsageError([
    `--at: ${JSON.stringify(at)} is not a day such as 2027-01-31 or a moment such as 2027-01-31T18:00:00Z`,
  ]);
}

const EXIT_CODES: Readonly<Record<Decision['outcome'], ExitCode>> = {
  allow: 0,
  exempt: 0,
  out_of_scope: 0,
  deny: 1,
  unjudgeable: 2,
};

async function readRequest(
  [oldFile, newFile]: Files,
  flags: CheckFlags,
  policy: Policy,
  context: CheckContext,
): Promise<AdmissionRequest> {
  const read = (file: string): Promise<string> => readText(file, context);
  if (flags.review !== undefined) {
    requireNothingBeside(flags, oldFile);
    return readReview(await read(flags.review), flags.review);
  }
  if (oldFile === undefined || newFile === undefined) {
    throw new UsageError(['OLD and NEW, or --review FILE, are required']);
  }
  if (oldFile === '-' && newFile === '-') throw new UsageError(['OLD and NEW cannot both be stdin']);
  const oldText = await read(oldFile);
  const newText = await read(newFile);
  return updateRequest({ file: oldFile, text: oldText }, { file: newFile, text: newText }, flags, policy);
}

/** A review says itself who writes what. */
function requireNothingBeside({ as, asGroup, namespace, subresource, resource }: CheckFlags, oldFile?: string): void {
  const given = Object.entries({
    OLD: oldFile,
    '--as': as,
    '--as-group': asGroup?.[0],
    '--namespace': namespace,
    '--subresource': subresource,
    '--resource': resource,
  });
  const problems = given
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `${name}: not allowed with --review`);
  if (problems.length > 0) throw new UsageError(problems);
}

function readReview(text: string, file: string): AdmissionRequest {
  try {
    return parseReview(text);
  } catch (error) {
    if (error instanceof InvalidReviewError) throw new UsageError([`${file}: ${error.message}`]);
    throw error;
  }
}
