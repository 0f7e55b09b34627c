import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };

/** Where editors find the schema of a policy. */
export const POLICY_SCHEMA_ADDRESS = policySchema.$id;
