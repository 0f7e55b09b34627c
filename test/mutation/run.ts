/**
 * Makes every small mistake in the code that Stryker knows, one at a time, and looks for a test that fails.
 *
 *   npm run mutation                          every file
 *   npm run mutation -- src/core/diff.ts      some of them
 *   npm run mutation -- --since main          those that have changed since a revision
 *
 * Exits with 1 where the core's score is too low, and where a mutant survives that equivalent-mutants.ts does not explain.
 */
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';

import type { MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';

import { describeMutant, isEquivalent, scorePercent, summaryOf, survives } from './mutants.ts';
import { testsOf } from './tests.ts';

/** What the judgement has to reach, in percent. The rest is there for speed, and equivalent-mutants.ts says of each why. */
const LEAST_CORE_SCORE = 92;

const { values: flags, positionals } = parseArgs({ allowPositionals: true, options: { since: { type: 'string' } } });

const mutants: MutantResult[] = [];
for (const file of chosenFiles()) mutants.push(...(await mutate(file)));
const core = mutants.filter(({ fileName }) => relative('.', fileName).startsWith('src/core/'));
const unexplained = mutants.filter(survives).filter((mutant) => !isEquivalent(mutant));
say(`src/core: ${summaryOf(core)}`);
say(`${unexplained.length} survive and are not explained`);
process.exitCode = unexplained.length > 0 || scorePercent(core) < LEAST_CORE_SCORE ? 1 : 0;

/** Lists the judgement, and what reads and answers a request. The table of Go types is data, and generated. */
function chosenFiles(): string[] {
  const files = globSync(['src/core/*.ts', 'src/policy/{compile,complete}.ts', 'src/server/{body,webhook}.ts'], {
    exclude: ['src/core/go-types.ts'],
  });
  const chosen = flags.since === undefined ? positionals : changedSince(flags.since);
  const isEverything = flags.since === undefined && positionals.length === 0;
  return files.filter((file) => isEverything || chosen.includes(file)).sort();
}

function changedSince(revision: string): string[] {
  return execFileSync('git', ['diff', '--name-only', revision], { encoding: 'utf8' }).split('\n');
}

/** Runs a file's tests once for each of its mutants, and prints those that survive. */
async function mutate(file: string): Promise<MutantResult[]> {
  const stryker = new Stryker({
    configFile: 'test/mutation/stryker.config.js',
    mutate: [file],
    jest: { config: { testMatch: testsOf(file).map((test) => `<rootDir>/${test}`) } },
  });
  const found = await stryker.runMutationTest();
  if (found.length === 0) throw new Error(`${file}: nothing was mutated`);
  say(`${file}: ${summaryOf(found)}`);
  for (const mutant of found.filter(survives)) {
    say(`  ${isEquivalent(mutant) ? 'equivalent' : 'survives'} ${describeMutant(mutant)}`);
  }
  return found;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
