import { basename } from 'node:path';

/**
 * Which tests a file's mutants have to pass, beside the one of the file's own name. All tests of the layer would kill a
 * few more, in twenty times the time.
 */
const OTHERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['src/core/diff.ts', ['test/unit/decide.test.ts']],
  ['src/core/equality.ts', ['test/unit/decide.test.ts']],
  ['src/core/field-type.ts', ['test/unit/equality.test.ts', 'test/unit/decide.test.ts']],
  ['src/core/explain.ts', ['test/unit/review-response.test.ts']],
  ['src/core/denial-text.ts', ['test/unit/explain.test.ts', 'test/unit/review-response.test.ts']],
  ['src/core/resource-name.ts', ['test/unit/policy.test.ts', 'test/unit/explain.test.ts']],
  ['src/policy/compile.ts', ['test/unit/policy.test.ts', 'test/unit/decide.test.ts']],
  ['src/policy/complete.ts', ['test/unit/policy.test.ts']],
  ['src/server/body.ts', ['validate', 'transport', 'deadlines', 'turns', 'overload'].map(integration)],
  ['src/server/webhook.ts', ['validate', 'transport', 'client-certificate', 'log', 'shutdown'].map(integration)],
]);

function integration(name: string): string {
  return `test/integration/${name}.test.ts`;
}

/** Returns the paths of the test files that have to notice a change of a source file. */
export function testsOf(file: string): string[] {
  const own = `test/unit/${basename(file, '.ts')}.test.ts`;
  return [own, ...(OTHERS.get(file) ?? [])];
}
