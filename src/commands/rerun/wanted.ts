import { isMap, ownValue, type JsonMap, type JsonValue } from '../../core/json.ts';
import { MAX_NAME_LENGTH, printable } from '../../core/text.ts';
import { lastApplied } from '../../kube/apply.ts';
import { metadataOf, objectsOf, type Named } from '../manifests/named.ts';
import { patched, type Patch } from '../manifests/patch.ts';
import { nameOf, readText, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import { nextName } from './new-name.ts';

/** The job that runs, and the text of the one that should. */
export interface Wanted {
  readonly old: Named;
  readonly wanted: Named;
  readonly text: string | undefined;
}

/** Returns a job as a patch would have left it. */
export function wantedByPatch(old: Named, patch: Patch): Wanted {
  return checked({ old, wanted: patched(asApplied(old), patch), text: undefined });
}

/** Returns a job as it was, to be run once more. */
export function wantedAgain(old: Named): Wanted {
  return checked({ old, wanted: asApplied(old), text: undefined });
}

/** Returns a job as a file would have it. */
export async function wantedByFile(old: Named, file: string, context: InputContext): Promise<Wanted> {
  const text = await readText(file, context);
  return checked({ old, wanted: onlyObject(objectsOf(text, nameOf(file)), file), text });
}

/**
 * Returns the one job of a file.
 *
 * @throws UsageError where there is not one
 */
export function onlyObject(objects: readonly Named[], path: string): Named {
  const [first, ...others] = objects;
  if (first !== undefined && others.length === 0) return first;
  throw new UsageError([`${nameOf(path)}: contains ${objects.length} objects; rerun takes one job`]);
}

/** Returns what somebody wrote, where the object says it: without what controllers have put in since. */
function asApplied(old: Named): Named {
  const manifest = lastApplied(old.object);
  return Object.keys(manifest).length === 0 ? old : { ...old, object: manifest };
}

function checked(wanted: Wanted): Wanted {
  requireSameKind(wanted.old, wanted.wanted);
  requireNoOwner(wanted.old);
  return wanted;
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
export function newName({ old, wanted }: Wanted, given: string | undefined): string | undefined {
  if (given !== undefined) return given;
  if (wanted.name !== old.name) return wanted.name;
  return Object.hasOwn(metadataOf(wanted.object), 'generateName') ? undefined : nextName(old.name, wanted.object);
}
