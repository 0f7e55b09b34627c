import type { JsonValue } from '../core/json.ts';
import type { PolicyDocument } from './document.ts';
import { brokenRules } from './rules.ts';
import { policyValidator } from './schema.ts';
import { wordSchemaError, type PolicyProblem } from './wording.ts';

/** What a value is as a policy: a document where nothing is wrong with it. */
export type CheckedPolicy =
  | { readonly document: PolicyDocument; readonly problems: readonly [] }
  | { readonly document: undefined; readonly problems: readonly PolicyProblem[] };

/** Checks a value against the schema and against the rules that a schema cannot say. */
export function checkPolicy(value: JsonValue): CheckedPolicy {
  const isPolicy = policyValidator();
  const isValid = isPolicy(value);
  const schemaProblems = (isPolicy.errors ?? []).map(wordSchemaError).filter((problem) => problem !== undefined);
  const problems = [...schemaProblems, ...brokenRules(value)];
  return isValid && problems.length === 0 ? { document: value, problems: [] } : { document: undefined, problems };
}
