import { globSync } from 'node:fs';
import { basename } from 'node:path';

/** How whatever takes part in a decision is tested. */
const DECISIONS = 'test/unit/decide-*.test.ts';

/**
 * Which tests a file's mutants have to pass, beside the one of the file's own name. All tests of the layer would kill a
 * few more, in twenty times the time.
 */
const OTHERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['src/core/decide.ts', [DECISIONS]],
  ['src/core/diff.ts', [DECISIONS]],
  ['src/core/equality.ts', [DECISIONS]],
  ['src/core/field-type.ts', ['test/unit/equality.test.ts', DECISIONS]],
  ['src/core/explain.ts', ['test/unit/review-response.test.ts']],
  ['src/core/denial-text.ts', ['test/unit/explain.test.ts', 'test/unit/review-response.test.ts']],
  ['src/core/resource-name.ts', ['test/unit/policy.test.ts', 'test/unit/explain.test.ts']],
  ['src/policy/compile.ts', ['test/unit/policy.test.ts', DECISIONS]],
  ['src/policy/complete.ts', ['test/unit/policy.test.ts']],
  ['src/server/body.ts', ['validate', 'transport', 'deadlines', 'turns', 'overload'].map(integration)],
  ['src/server/webhook.ts', ['validate', 'transport', 'client-certificate', 'log', 'shutdown'].map(integration)],
]);

function integration(name: string): string {
  return `test/integration/${name}.test.ts`;
}

/**
 * Returns the paths of the test files that have to notice a change of a source file.
 *
 * @throws Error where a pattern of theirs matches no file, or the source file has no tests at all
 */
export function testsOf(file: string): string[] {
  const own = globSync(`test/unit/${basename(file, '.ts')}.test.ts`);
  const others = (OTHERS.get(file) ?? []).map((pattern) => ({ pattern, found: globSync(pattern) }));
  const stale = others.filter(({ found }) => found.length === 0).map(({ pattern }) => pattern);
  if (stale.length > 0) throw new Error(`${file}: no test matches ${stale.join(', ')}`);
  const tests = [...own, ...others.flatMap(({ found }) => found)];
  if (tests.length === 0) throw new Error(`${file}: has no tests; add them to test/mutation/tests.ts`);
  return tests;
}
