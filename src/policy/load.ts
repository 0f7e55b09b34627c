import { isMap, isNode, isScalar, isSeq, visit } from 'yaml';

import { UNKNOWN } from '../core/field-type.ts';
import type { JsonValue } from '../core/json.ts';
import { fieldPath } from '../core/field-path.ts';
import type { Segment } from '../core/path.ts';
import type { Policy } from '../core/policy.ts';
import { printable } from '../core/text.ts';
import { compilePolicy } from './compile.ts';
import { completePolicy } from './complete.ts';
import type { PolicyDocument } from './document.ts';
import { checkPolicy } from './check.ts';
import type { PolicyProblem } from './wording.ts';
import { readYaml, type TextProblem, type YamlText } from './yaml-text.ts';

/** A policy file is wrong; the message lists every problem, one a line, for whoever wrote the file. */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError';
  /** `jobguard.yaml:12:5: allow[2]: "spec/foo" is not a JSON Pointer; write "/spec/foo"`, in the order of the file. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** How a policy's text is called in what is said about it. */
export interface PolicyTextOptions {
  readonly file?: string;
}

/** What fits into a ConfigMap, whence a policy comes. */
const MAX_POLICY_LENGTH = 1024 * 1024;

/**
 * Loads a policy from its text, YAML 1.2 or JSON.
 *
 * @throws PolicyFileError naming everything that is wrong
 */
export function loadPolicy(text: string, options: PolicyTextOptions = {}): Policy {
  return compilePolicy(completePolicy(readPolicy(text, options)));
}

/**
 * Reads a policy document from its text.
 *
 * @throws PolicyFileError naming everything that is wrong
 */
export function readPolicy(text: string, { file = 'policy' }: PolicyTextOptions = {}): PolicyDocument {
  if (text.length > MAX_POLICY_LENGTH) throw new PolicyFileError([`${file}: is larger than 1 MiB`]);
  const yaml = readYaml(text, 'core');
  const unreadable = [...yaml.syntaxProblems, ...aliasProblems(yaml)];
  if (unreadable.length > 0) throw policyFileError(file, unreadable);

  const value = valueOf(yaml.document.contents);
  if (value === null) throw policyFileError(file, [yaml.problemAt(0, EMPTY)]);
  const { document, problems } = checkPolicy(value);
  if (document !== undefined && yaml.duplicateKeys.length === 0) return document;
  throw policyFileError(file, [...yaml.duplicateKeys, ...problems.map((problem) => locate(problem, yaml))]);
}

const EMPTY = 'holds no policy; one begins with "apiVersion: jobguard/v1" and "kind: UpdatePolicy"';

/** Longer than anything that is said about a policy, which quotes little of it. */
const MAX_PROBLEM_LENGTH = 1_000;

/** Some problems are in the YAML parser's own words, which quote the text as it is. */
function policyFileError(file: string, problems: readonly TextProblem[]): PolicyFileError {
  const inOrder = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return new PolicyFileError(
    inOrder.map(({ line, column, text }) => `${file}:${line}:${column}: ${printable(text, MAX_PROBLEM_LENGTH)}`),
  );
}

/** A policy repeats little, and an alias is mostly a glob that lacks its quotes. */
function aliasProblems({ document, problemAt }: YamlText): TextProblem[] {
  const problems: TextProblem[] = [];
  visit(document, {
    Alias: (_key, { source, range }) => {
      const meant = JSON.stringify(`*${source}`);
      const text = `aliases are not read; if the text ${meant} is meant, write it in quotes`;
      if (source !== '') problems.push(problemAt(range?.[0] ?? 0, text));
    },
  });
  return problems;
}

/** Returns the value of a node without aliases. */
function valueOf(node: unknown): JsonValue {
  if (isMap(node)) return Object.fromEntries(node.items.map(({ key, value }) => [keyText(key), valueOf(value)]));
  if (isSeq(node)) return node.items.map(valueOf);
  const value = isScalar(node) ? node.value : null;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Finds where a problem is in the file: at its node or, where there is none, at the nearest above. */
function locate({ path, isAtKey, text }: PolicyProblem, { document, problemAt }: YamlText): TextProblem {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, segment] of path.entries()) {
    const { key, value } = entryAt(node, segment);
    offset = startOf(isAtKey && depth === path.length - 1 ? key : value) ?? offset;
    node = value;
  }
  const place = fieldPath(path, UNKNOWN);
  return problemAt(offset, place === '' ? text : `${place}: ${text}`);
}

function entryAt(node: unknown, segment: Segment): { key: unknown; value: unknown } {
  if (isSeq(node)) return { key: undefined, value: node.items[Number(segment)] };
  const pair = isMap(node) ? node.items.findLast(({ key }) => keyText(key) === segment) : undefined;
  return { key: pair?.key, value: pair?.value };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
