import { isMap, ownValue, type JsonMap, type JsonValue } from '../../core/json.ts';
import { MAX_NAME_LENGTH, printable } from '../../core/text.ts';
import { lastApplied } from '../../kube/apply.ts';
import { requireOneStdin } from '../check/inputs.ts';
import { metadataOf, objectsOf, type Named } from '../check/objects.ts';
import { patched, readPatch, type PatchFlags } from '../check/patch-option.ts';
import type { CommandContext } from '../context.ts';
import { nameOf, readText, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import { checkName, nextName } from './new-name.ts';
import { newManifest } from './new-manifest.ts';

export interface RerunFlags extends PatchFlags {
  readonly name?: string;
}

/** The job that runs, and the text of the one that should. */
interface Wanted {
  readonly old: Named;
  readonly wanted: Named;
  readonly text: string | undefined;
}

/**
 * Prints the manifest of a new job.
 *
 * @throws UsageError where the files or the patch are wrong, or the job cannot be made anew
 */
export async function printNewJob(
  files: readonly [string, string | undefined],
  flags: RerunFlags,
  context: Pick<CommandContext, 'stdin' | 'stdout'>,
): Promise<void> {
  const { old, wanted, text } = await readWanted(files, flags, context);
  requireSameKind(old, wanted);
  requireNoOwner(old);
  const name = newName(old, wanted, flags.name);
  if (name !== undefined) checkName(name, wanted.object);
  context.stdout.write(newManifest(wanted, text, { name, of: old.name }));
}

async function readWanted(
  [oldFile, newFile]: readonly [string, string | undefined],
  flags: RerunFlags,
  context: InputContext,
): Promise<Wanted> {
  requireOneStdin(newFile === undefined ? [oldFile] : [oldFile, newFile], flags);
  const patch = await readPatch(flags, context);
  if (patch !== undefined && newFile !== undefined) throw new UsageError([`NEW: not allowed with ${patch.flag}`]);
  const old = await onlyObject(oldFile, context);
  if (patch !== undefined) {
    return { old, wanted: patched(asApplied(old), patch), text: undefined };
  }
  if (newFile === undefined) throw new UsageError(['NEW or --patch is required']);
  const text = await readText(newFile, context);
  return { old, wanted: only(objectsOf(text, nameOf(newFile)), newFile), text };
}

async function onlyObject(path: string, context: InputContext): Promise<Named> {
  return only(objectsOf(await readText(path, context), nameOf(path)), path);
}

function only(objects: readonly Named[], path: string): Named {
  const [first, ...others] = objects;
  if (first !== undefined && others.length === 0) return first;
  throw new UsageError([`${nameOf(path)}: contains ${objects.length} objects; rerun takes one job`]);
}

/** Returns what somebody wrote, where the object says it: without what controllers have put in since. */
function asApplied(old: Named): Named {
  const manifest = lastApplied(old.object);
  return Object.keys(manifest).length === 0 ? old : { ...old, object: manifest };
}

function requireSameKind(old: Named, wanted: Named): void {
  if (old.group === wanted.group && old.kind === wanted.kind) return;
  throw new UsageError([`${wanted.file}: is a ${wanted.kind}, but ${old.file} is a ${old.kind}`]);
}

/** What a controller has made, such as Katib or Flyte, it makes anew itself; it would not know a job of another's. */
function requireNoOwner({ object, file, name }: Named): void {
  const owners = ownValue(metadataOf(object), 'ownerReferences');
  const owner = (Array.isArray(owners) ? owners : []).find(isController);
  if (owner === undefined) return;
  const { kind, name: ownerName } = owner;
  throw new UsageError([
    `${file}: "${name}" belongs to the ${textOf(kind)} "${textOf(ownerName)}", which would not know of a new job; change that instead`,
  ]);
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? printable(value, MAX_NAME_LENGTH) : 'unknown';
}

function isController(owner: JsonValue): owner is JsonMap {
  return isMap(owner) && ownValue(owner, 'controller') === true;
}

/** Returns the new job's name; undefined where the API server makes one of `generateName`. */
function newName(old: Named, wanted: Named, given: string | undefined): string | undefined {
  if (given !== undefined) return given;
  if (wanted.name !== old.name) return wanted.name;
  return Object.hasOwn(metadataOf(wanted.object), 'generateName') ? undefined : nextName(old.name, wanted.object);
}
