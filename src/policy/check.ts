import { Ajv } from 'ajv';

import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import type { JsonValue } from '../core/json.ts';
import type { PolicyDocument } from './document.ts';
import { brokenRules } from './rules.ts';
import { wordSchemaError, type PolicyProblem } from './wording.ts';

/** What a value is as a policy: a document where nothing is wrong with it. */
export type CheckedPolicy =
  | { readonly document: PolicyDocument; readonly problems: readonly [] }
  | { readonly document: undefined; readonly problems: readonly PolicyProblem[] };

/** Checks a value against the schema and against the rules that a schema cannot say. */
export function checkPolicy(value: JsonValue): CheckedPolicy {
  const isPolicy = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    validateSchema: false,
  }).compile<PolicyDocument>(policySchema);
  const isValid = isPolicy(value);
  const schemaProblems = (isPolicy.errors ?? []).map(wordSchemaError).filter((problem) => problem !== undefined);
  const problems = [...schemaProblems, ...brokenRules(value)];
  return isValid && problems.length === 0 ? { document: value, problems: [] } : { document: undefined, problems };
}
