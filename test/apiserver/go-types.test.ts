import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { run } from '../../tools/child-process.ts';
import { describeWithControlPlane } from './layer.ts';

/** Go fetches the operator's module and compiles its types where it has not done so before. */
const GO_TIMEOUT_MS = 600_000;
const ROOT = `${import.meta.dirname}/../..`;

/** Runs Go in the folder of the generator, and returns what it prints. */
async function go(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('go', args, {
    cwd: `${ROOT}/tools/go-types`,
    timeoutMs: GO_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error(`go ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describeWithControlPlane('the table of Go types', () => {
  test(
    'is what the generator writes from the operator’s types',
    async () => {
      expect(await readFile(`${ROOT}/src/core/go-types.ts`, 'utf8')).toBe(await go('run', './generate'));
    },
    GO_TIMEOUT_MS,
  );

  test(
    'is written by a generator that fails on what it does not know',
    async () => {
      expect(await go('test', './...')).toMatch(/^ok\s+\S+\/generate\s/m);
    },
    GO_TIMEOUT_MS,
  );
});
