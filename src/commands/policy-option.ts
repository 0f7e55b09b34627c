import type { Policy } from '../core/policy.ts';
import { compilePolicy } from '../policy/compile.ts';
import { completePolicy } from '../policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../policy/defaults.ts';
import type { CompletePolicy, PolicyDocument } from '../policy/document.ts';
import { nameOf, readText, type InputContext } from './text-file.ts';
import { UsageError } from './usage-error.ts';

/**
 * Loads the policy that `--policy` names, `-` for stdin; without it, the default one.
 *
 * @throws UsageError naming everything that is wrong with the file
 */
export async function loadPolicyOption(file: string | undefined, context: InputContext): Promise<Policy> {
  return compilePolicy(await completePolicyOption(file, context));
}

/** Completes the policy that `--policy` names; throws as `loadPolicyOption` does. */
export async function completePolicyOption(file: string | undefined, context: InputContext): Promise<CompletePolicy> {
  return completePolicy(await readPolicyOption(file, context));
}

/** Reads the policy that `--policy` names, as its file writes it; throws as `loadPolicyOption` does. */
export async function readPolicyOption(file: string | undefined, context: InputContext): Promise<PolicyDocument> {
  return file === undefined ? DEFAULT_POLICY_DOCUMENT : readPolicyFile(file, context);
}

async function readPolicyFile(file: string, context: InputContext): Promise<PolicyDocument> {
  // Loaded here: it brings a YAML parser and a schema, and the default policy needs neither.
  const { PolicyFileError, readPolicy } = await import('../policy/load.ts');
  const text = await readText(file, context);
  try {
    return readPolicy(text, { file: nameOf(file) });
  } catch (error) {
    if (error instanceof PolicyFileError) throw new UsageError(error.problems);
    throw error;
  }
}
