import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

import { Command, Option } from 'commander';

import { UsageError } from '../config.ts';
import { InvalidReviewError, parseReview, type AdmissionRequest } from '../core/admission.ts';
import { decide, type Decision } from '../core/decide.ts';
import type { Policy } from '../core/policy.ts';
import { decodeUtf8, unreadable } from '../text-file.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { loadPolicyOption } from './policy-option.ts';
import { updateRequest, type UpdateFlags } from './update-request.ts';
import { verdictDocument, verdictText } from './verdict-text.ts';

interface CheckFlags extends UpdateFlags {
  readonly policy?: string;
  readonly review?: string;
  readonly output: 'text' | 'json';
}

/** `jobguard check`: judges an update offline. */
export function checkCommand(context: Pick<CommandContext, 'stdin' | 'stdout' | 'hasColour' | 'exitWith'>): Command {
  return new Command('check')
    .description('judge an update offline, whatever the mode')
    .argument('[old]', 'YAML or JSON file of the object as it is stored; - is stdin')
    .argument('[new]', 'YAML or JSON file of the object as it shall be; - is stdin')
    .option('--review <file>', 'JSON file of a whole AdmissionReview, in place of both; - is stdin')
    .option('--policy <file>', 'policy file (default: the built-in policy)')
    .option('--as <user>', 'username of the writer')
    .option('--as-group <group>', 'group of the writer; may be repeated', collect)
    .option('--namespace <namespace>', 'namespace of the job, where its files name none (default: default)')
    .addOption(new Option('--subresource <name>', 'the files are the Scale of a job').choices(['scale']))
    .option('--resource <plural.group>', 'what the files are, where their kind does not say: pytorchjobs.kubeflow.org')
    .addOption(new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .addHelpText('after', EXAMPLE)
    .action(async (oldFile: string | undefined, newFile: string | undefined, flags: CheckFlags) => {
      await check([oldFile, newFile], flags, context);
    });
}

function collect(group: string, groups: readonly string[] = []): readonly string[] {
  return [...groups, group];
}

const EXAMPLE = `
Exits with 0 where the update is allowed or not the policy's business, 1 where it is denied, 2 where it cannot be
judged. Namespace and status are filled in where NEW leaves them out, as the API server does.

Examples:
  kubectl get tfjob mnist -o yaml | jobguard check - mnist.yaml --as alice
  jobguard check --review review.json -o json
  jobguard check old-scale.yaml new-scale.yaml --subresource scale --resource pytorchjobs.kubeflow.org`;

type Files = readonly [oldFile: string | undefined, newFile: string | undefined];
type CheckContext = Parameters<typeof checkCommand>[0];

async function check(files: Files, flags: CheckFlags, context: CheckContext): Promise<void> {
  const policy = await loadPolicyOption(flags.policy);
  const request = await readRequest(files, flags, policy, context);
  const judgement = { policy, request, verdict: decide(policy, request) };
  context.stdout.write(
    flags.output === 'json'
      ? `${JSON.stringify(verdictDocument(judgement), undefined, 2)}\n`
      : verdictText(judgement, context.hasColour),
  );
  context.exitWith(EXIT_CODES[judgement.verdict.decision.outcome]);
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
  { stdin }: CheckContext,
): Promise<AdmissionRequest> {
  const read = (file: string): Promise<string> => readText(file, stdin);
  if (flags.review !== undefined) {
    requireNothingBeside(flags, oldFile);
    return readReview(await read(flags.review), flags.review);
  }
  if (oldFile === undefined || newFile === undefined) {
    throw new UsageError(['OLD and NEW are needed, or --review FILE']);
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
    .map(([name]) => `${name}: leave it out, the review says it`);
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

async function readText(file: string, stdin: CommandContext['stdin']): Promise<string> {
  const text = decodeUtf8(await readBytes(file, stdin));
  if (text === undefined) throw new UsageError([`${file === '-' ? 'stdin' : file}: is not UTF-8 text`]);
  return text;
}

async function readBytes(file: string, stdin: CommandContext['stdin']): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(stdin) : await readFile(file);
  } catch (error) {
    throw new UsageError([unreadable(file, error)]);
  }
}
