import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { join } from 'node:path';

import policySchema from '../schemas/policy.schema.json' with { type: 'json' };
import { SCHEMA_OPTIONS } from '../src/policy/schema.ts';

const ROOT = join(import.meta.dirname, '..');

/** The module that `policyValidatorCode` stands in for. */
export const SCHEMA_MODULE = join(ROOT, 'src/policy/schema.ts');

/**
 * Returns the code of src/policy/schema.ts with the schema compiled already. To compile it takes Ajv tens of milliseconds of a
 * start; and where code may not be made from text, as in a browser under a Content-Security-Policy, it cannot.
 */
export async function policyValidatorCode(): Promise<string> {
  const ajv = new Ajv({ ...SCHEMA_OPTIONS, code: { source: true, esm: true } });
  const isPolicy = standalone.default(ajv, ajv.compile(policySchema));
  // Even as an ES module it calls `require` for Ajv's own helpers.
  const { outputFiles } = await build({
    stdin: { contents: isPolicy, resolveDir: ROOT },
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
    outfile: 'policy-validator.js',
  });
  const text = outputFiles.map((file) => file.text).join('');
  return `${text}\nexport const policyValidator = () => validate;\n`;
}
