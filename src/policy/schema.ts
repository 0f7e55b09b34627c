import { Ajv, type Options, type ValidateFunction } from 'ajv';

import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import type { PolicyDocument } from './document.ts';

/** All that is wrong is said at once, and `verbose` brings what it is worded with. */
export const SCHEMA_OPTIONS: Options = { allErrors: true, verbose: true, allowUnionTypes: true, validateSchema: false };

/**
 * Returns what tells whether a value fits the policy's schema. The bundles have it compiled already: see
 * build/policy-validator.ts.
 */
export function policyValidator(): ValidateFunction<PolicyDocument> {
  return new Ajv(SCHEMA_OPTIONS).compile<PolicyDocument>(policySchema);
}
