import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

import type { MutantResult } from '@stryker-mutator/api/core';

import { EQUIVALENT_MUTANTS } from './equivalent-mutants.ts';

/** Tells whether every test passed with a mutant in the code. */
export function survives({ status }: MutantResult): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

/** Tells whether no test can tell a mutant from the code, as `equivalent-mutants.ts` explains. */
export function isEquivalent(mutant: MutantResult): boolean {
  const [file, mutated] = [relative('.', mutant.fileName), mutatedCode(mutant)];
  return EQUIVALENT_MUTANTS.some((row) => row.file === file && row.mutated === mutated);
}

/** Returns the share of mutants that a test kills. One that cannot even be loaded does not count, as in Stryker's score. */
export function scorePercent(mutants: readonly MutantResult[]): number {
  const counted = mutants.filter(({ status }) => !['Ignored', 'CompileError', 'RuntimeError'].includes(status));
  const killed = counted.filter((mutant) => !survives(mutant));
  return counted.length === 0 ? 100 : (100 * killed.length) / counted.length;
}

/** Sums mutants up: `97.9 % of 47 mutants (46 Killed, 1 Survived)`. */
export function summaryOf(mutants: readonly MutantResult[]): string {
  const counts = Map.groupBy(mutants, ({ status }) => status)
    .entries()
    .map(([status, { length }]) => `${length} ${status}`);
  return `${scorePercent(mutants).toFixed(1)} % of ${mutants.length} mutants (${[...counts].join(', ')})`;
}

/** Writes a mutant as its place and the mutated code: `src/core/text.ts:17: if (text.length < max) return text;`. */
export function describeMutant(mutant: MutantResult): string {
  return `${relative('.', mutant.fileName)}:${mutant.location.start.line}: ${mutatedCode(mutant)}`;
}

/** Returns the lines that a mutant changes, as it leaves them, in one line. Stryker counts lines and columns from 1. */
function mutatedCode({ fileName, replacement, location: { start, end } }: MutantResult): string {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const before = lines[start.line - 1]?.slice(0, start.column - 1) ?? '';
  const after = lines[end.line - 1]?.slice(end.column - 1) ?? '';
  return `${before}${replacement}${after}`.replaceAll(/\s*\n\s*/g, ' ').trim();
}
