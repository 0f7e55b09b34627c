import { requireOneStdin } from '../manifests/one-stdin.ts';
import { objectsOf } from '../manifests/named.ts';
import { readPatch } from '../manifests/patch-option.ts';
import { nameOf, readText } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import type { RerunContext, RerunFlags } from './flags.ts';
import { checkName } from './new-name.ts';
import { newManifest } from './new-manifest.ts';
import { newName, onlyObject, wantedByFile, wantedByPatch, type Wanted } from './wanted.ts';

/**
 * Prints the manifest of a new job, and creates it where that is asked for.
 *
 * @throws UsageError where the files or the patch are wrong, or the job cannot be made anew
 */
export async function rerunJob(
  [oldFile, newFile]: readonly [string, string | undefined],
  flags: RerunFlags,
  context: RerunContext,
): Promise<void> {
  requireFlagsFit(newFile, flags);
  if (flags.live === true) {
    const { rerunLive } = await import('./live.ts');
    return rerunLive(oldFile, flags, context);
  }
  const wanted = await readWanted([oldFile, newFile], flags, context);
  const name = newName(wanted, flags.name);
  if (name !== undefined) checkName(name, wanted.wanted.object);
  context.stdout.write(newManifest(wanted.wanted, wanted.text, { name, of: wanted.old.name }));
}

/** What needs what, by the names of the flags. */
function requireFlagsFit(newFile: string | undefined, flags: RerunFlags): void {
  const { live, create, file, deleteOld, yes, wait } = flags;
  const needs = (needed: boolean | undefined, flag: string, given: Readonly<Record<string, unknown>>): string[] =>
    needed === true
      ? []
      : Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: requires ${flag}`]));
  const problems = [
    ...needs(live, '--live', { '--file': file, '--create': create }),
    ...needs(create, '--create', { '--delete-old': deleteOld, '--yes': yes, '--wait': wait }),
    ...(live === true && newFile !== undefined ? ['NEW: not allowed with --live; use --file'] : []),
  ];
  if (problems.length > 0) throw new UsageError(problems);
}

async function readWanted(
  [oldFile, newFile]: readonly [string, string | undefined],
  flags: RerunFlags,
  context: RerunContext,
): Promise<Wanted> {
  requireOneStdin({ OLD: oldFile, NEW: newFile, '--patch-file': flags.patchFile });
  const patch = await readPatch(flags, context);
  if (patch !== undefined && newFile !== undefined) throw new UsageError([`NEW: not allowed with ${patch.flag}`]);
  const old = onlyObject(objectsOf(await readText(oldFile, context), nameOf(oldFile)), oldFile);
  if (patch !== undefined) return wantedByPatch(old, patch);
  if (newFile === undefined) throw new UsageError(['NEW or --patch is required']);
  return wantedByFile(old, newFile, context);
}
