import { InvalidReviewError, parseReview, type AdmissionRequest } from '../../core/admission.ts';
import { decide, type Decision } from '../../core/decide.ts';
import { explain } from '../../core/explain.ts';
import type { Policy } from '../../core/policy.ts';
import { parseMoment } from '../../policy/moment.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { jsonText } from '../json-text.ts';
import { loadPolicyOption } from '../policy-option.ts';
import { exactJsonText } from '../../kube/exact-text.ts';
import { permittedPatch } from './permitted-patch.ts';
import { patched, readPatch, type PatchFlags } from './patch-option.ts';
import { readObject } from './objects.ts';
import { readText, type InputContext } from '../text-file.ts';
import { updateRequest, type Source, type UpdateFlags } from './update-request.ts';
import { verdictDocument, verdictText, type Judgement } from './verdict-text.ts';
import { UsageError } from '../usage-error.ts';

/** The flags of `check`. */
export interface CheckFlags extends UpdateFlags, PatchFlags {
  readonly policy?: string;
  readonly review?: string;
  /** When the update is judged; without it now. */
  readonly at?: string;
  readonly output: Output;
}

export type Output = 'text' | 'json' | 'patch';

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
    // Of a fault the exit code would be 1, which means "denied".
    const problem = error instanceof RangeError ? new UsageError(['an object or a patch is nested too deeply']) : error;
    if (!(problem instanceof UsageError) || flags.output !== 'json') throw problem;
    context.stdout.write(jsonText({ error: problem.message }));
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
  context.stdout.write(WRITTEN[flags.output](judgement, context.hasColour));
  context.exitWith(EXIT_CODES[verdict.decision.outcome]);
}

const WRITTEN: Readonly<Record<Output, (judgement: Judgement, hasColour: boolean) => string>> = {
  text: verdictText,
  json: (judgement) => jsonText(verdictDocument(judgement)),
  patch: ({ request, verdict }) => exactJsonText(permittedPatch(request, verdict)),
};

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
  files: Files,
  flags: CheckFlags,
  policy: Policy,
  context: InputContext,
): Promise<AdmissionRequest> {
  if (flags.review !== undefined) {
    requireNothingBeside(flags, files[0]);
    return readReview(await readText(flags.review, context), flags.review);
  }
  const [before, after] = await readUpdate(files, flags, context);
  return updateRequest(before, after, flags, policy);
}

async function readUpdate(
  [oldFile, newFile]: Files,
  flags: CheckFlags,
  context: InputContext,
): Promise<[Source, Source]> {
  requireOneStdin({ OLD: oldFile, NEW: newFile, '--patch-file': flags.patchFile });
  const patch = await readPatch(flags, context);
  if (patch !== undefined && newFile !== undefined) throw new UsageError([`NEW: not allowed with ${patch.flag}`]);
  if (oldFile === undefined) throw new UsageError([FORMS]);
  const before = await readObject(oldFile, context);
  if (patch !== undefined) return [before, patched(before, patch)];
  if (newFile === undefined) throw new UsageError([FORMS]);
  return [before, await readObject(newFile, context)];
}

const FORMS = 'OLD and NEW, OLD and --patch, or --review FILE, are required';

function requireOneStdin(files: Readonly<Record<string, string | undefined>>): void {
  const [first, second] = Object.entries(files).flatMap(([name, file]) => (file === '-' ? [name] : []));
  if (second !== undefined) throw new UsageError([`${first} and ${second} cannot both be stdin`]);
}

/** A review says itself who writes what. */
function requireNothingBeside(flags: CheckFlags, oldFile?: string): void {
  const given = Object.entries({
    OLD: oldFile,
    '--patch': flags.patch,
    '--patch-file': flags.patchFile,
    '--as': flags.as,
    '--as-group': flags.asGroup?.[0],
    '--namespace': flags.namespace,
    '--subresource': flags.subresource,
    '--resource': flags.resource,
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
