import { InvalidReviewError, parseReview, type AdmissionRequest } from '../../core/admission.ts';
import type { Policy } from '../../core/policy.ts';
import { readText, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import { readRevisions } from './git.ts';
import type { Named } from '../manifests/named.ts';
import { readObjects, type Objects } from '../manifests/objects.ts';
import { pairObjects, type Pairs } from './pairs.ts';
import { patched } from '../manifests/patch.ts';
import { readPatch, type PatchFlags } from '../manifests/patch-option.ts';
import type { Inputs } from './items.ts';
import { updateRequest, type UpdateFlags } from './update-request.ts';

/** What says where the updates come from. */
export interface InputFlags extends UpdateFlags, PatchFlags {
  readonly policy?: string;
  readonly review?: string;
  /** A git revision. */
  readonly git?: string;
  /** Whether OLD is what a cluster has. */
  readonly live?: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly at?: string;
}

const FORMS =
  'OLD and NEW, OLD and --patch, --git BASE, --live NEW, or --review FILE, are required; jobguard check --help has examples';

/**
 * Reads the updates that a command line is about.
 *
 * @throws UsageError
 */
export async function readInputs(
  files: readonly string[],
  flags: InputFlags,
  policy: Policy,
  context: InputContext,
): Promise<Inputs> {
  const form = formOf(flags);
  requireNothingBeside(form, files, flags);
  if (flags.review !== undefined) return single(readReview(await readText(flags.review, context), flags.review));
  if (flags.git !== undefined) {
    const { before, after } = await readRevisions(flags.git, files, context);
    return several(pairObjects(before, after, flags, policy), flags, policy);
  }
  if (form === 'live') {
    // Loaded here: it brings an HTTP client, which nothing else needs.
    const { readLive } = await import('./live.ts');
    return readLive(files, flags, policy, context);
  }
  return readFiles(files, flags, policy, context);
}

function formOf({ review, git, live }: InputFlags): Form {
  if (review !== undefined) return 'review';
  if (git !== undefined) return 'git';
  return live === true ? 'live' : 'files';
}

async function readFiles(
  [oldFile, newFile, ...others]: readonly string[],
  flags: InputFlags,
  policy: Policy,
  context: InputContext,
): Promise<Inputs> {
  if (others.length > 0) throw new UsageError([`OLD and NEW are two paths; "${others.join(' ')}" is more`]);
  const patch = await readPatch(flags, context);
  if (patch !== undefined && newFile !== undefined) throw new UsageError([`NEW: not allowed with ${patch.flag}`]);
  if (oldFile === undefined) throw new UsageError([FORMS]);
  const old = await readObjects(oldFile, context);
  if (patch !== undefined) {
    const before = onlyObject(old, oldFile, patch.flag);
    return single(updateRequest(before, patched(before, patch), { ...flags, replace: true }, policy), before);
  }
  if (newFile === undefined) throw new UsageError([FORMS]);
  return compared(old, await readObjects(newFile, context), flags, policy);
}

/** Two files of one object each are meant to be the same object, so that any other name is a mistake. */
function compared(old: Objects, next: Objects, flags: InputFlags, policy: Policy): Inputs {
  const [[before, ...moreBefore], [after, ...moreAfter]] = [old.objects, next.objects];
  const isSingle = !old.isFolder && !next.isFolder && moreBefore.length === 0 && moreAfter.length === 0;
  if (isSingle && before !== undefined && after !== undefined) {
    return single(updateRequest(before, after, flags, policy), after);
  }
  return several(pairObjects(old.objects, next.objects, flags, policy), flags, policy);
}

function single(request: AdmissionRequest, source?: Named): Inputs {
  return { isSingle: true, items: [{ request, source }], created: [], deleted: [], notGuarded: 0 };
}

function several({ updates, ...others }: Pairs, flags: InputFlags, policy: Policy): Inputs {
  const items = updates.map(([before, after]) => ({
    request: updateRequest(before, after, flags, policy),
    source: after,
  }));
  return { isSingle: false, items, ...others };
}

function onlyObject({ isFolder, objects }: Objects, path: string, flag: string): Named {
  const [only, ...others] = objects;
  if (isFolder) throw new UsageError([`${path}: is a folder; ${flag} patches the object of one file`]);
  if (only === undefined || others.length > 0) {
    throw new UsageError([`${path}: contains ${objects.length} objects; ${flag} patches one`]);
  }
  return only;
}

type Form = 'files' | 'git' | 'live' | 'review';

/** A review says itself who writes what; a git revision is compared with the working tree. */
function requireNothingBeside(form: Form, files: readonly string[], flags: InputFlags): void {
  const whole: Readonly<Record<string, string | undefined>> = {
    '--patch': flags.patch,
    '--patch-file': flags.patchFile,
  };
  const ofReview = {
    OLD: files[0],
    ...whole,
    '--git': flags.git,
    '--live': flags.live === true ? '' : undefined,
    '--replace': flags.replace === true ? '' : undefined,
    '--as': flags.as,
    '--as-group': flags.asGroup?.[0],
    '--field-manager': flags.fieldManager,
    '--namespace': flags.namespace,
    '--subresource': flags.subresource,
    '--resource': flags.resource,
  };
  const ofLive = {
    '--subresource': flags.subresource,
    // The jobguard of the cluster has a clock of its own.
    '--at': flags.policy === undefined ? flags.at : undefined,
  };
  const ofGit = { ...whole, '--live': ofReview['--live'], '--subresource': flags.subresource };
  const excluded = { files: {}, git: ofGit, live: ofLive, review: ofReview }[form];
  const problems = Object.entries(excluded)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `${name}: not allowed with --${form}`);
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
