import { UsageError } from '../config.ts';
import { DEFAULT_POLICY_DOCUMENT, type Policy, type PolicyDocument } from '../core/policy.ts';
import { policyOf } from '../policy/effective-policy.ts';

/**
 * Loads the policy that `--policy` names; without it, the default one.
 *
 * @throws UsageError naming everything that is wrong with the file
 */
export async function loadPolicyOption(file: string | undefined): Promise<Policy> {
  return policyOf(await readPolicyOption(file));
}

/** Reads the document of the policy that `--policy` names; throws as `loadPolicyOption` does. */
export async function readPolicyOption(file: string | undefined): Promise<PolicyDocument> {
  if (file === undefined) return DEFAULT_POLICY_DOCUMENT;
  // Loaded here: it brings a YAML parser and a schema, and the default policy needs neither.
  const { PolicyFileError, readPolicyFile } = await import('../policy/file.ts');
  try {
    return readPolicyFile(file);
  } catch (error) {
    if (error instanceof PolicyFileError) throw new UsageError(error.problems);
    throw error;
  }
}
