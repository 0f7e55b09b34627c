import { deepStrictEqual, match, strictEqual } from 'node:assert';

import { compilePolicy } from '../../src/policy/compile.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';
import { PolicyFileError, readPolicy } from '../../src/policy/load.ts';

/** A place, and one line that says what is wrong there. */
const PROBLEM = /^policy:\d+:\d+: [^\p{Cc}\p{Zl}\p{Zp}]+$/u;

/**
 * Reads a policy. One that is refused is told why, line by line; one that is taken means what it says: JSON is read as
 * JSON, the policy compiles, and what it comes to, written out, comes to the same again.
 */
export function judgePolicy(text: string): void {
  const document = read(text);
  if (document === undefined) return;
  const json = parseJson(text);
  if (json !== undefined) deepStrictEqual(document, json);
  const complete = completePolicy(document);
  const { hash } = compilePolicy(complete);
  strictEqual(compilePolicy(completePolicy(readPolicy(JSON.stringify(complete)))).hash, hash);
}

function read(text: string): PolicyDocument | undefined {
  try {
    return readPolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    for (const problem of error.problems) match(problem, PROBLEM);
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
