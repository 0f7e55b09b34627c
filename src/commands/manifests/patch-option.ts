import { nameOf, readText, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import { parsePatch, type Patch, type PatchType } from './patch.ts';

/** The flags that give the updated object as a patch. */
export interface PatchFlags {
  readonly patch?: string;
  readonly patchFile?: string;
  readonly type: PatchType;
}

/** A patch, and the flag that gives it. */
export interface PatchOption extends Patch {
  readonly flag: '--patch' | '--patch-file';
}

/**
 * Reads the patch of `--patch` or `--patch-file`, YAML or JSON as for `kubectl patch`; undefined where there is none.
 *
 * @throws UsageError
 */
export async function readPatch(
  { patch, patchFile, type }: PatchFlags,
  context: InputContext,
): Promise<PatchOption | undefined> {
  if (patch !== undefined && patchFile !== undefined) throw new UsageError(['--patch-file: not allowed with --patch']);
  if (patch !== undefined) return { flag: '--patch', name: '--patch', value: parsePatch(patch, '--patch'), type };
  if (patchFile === undefined) return undefined;
  const name = nameOf(patchFile);
  return { flag: '--patch-file', name, value: parsePatch(await readText(patchFile, context), name), type };
}
