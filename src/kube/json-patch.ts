import jsonPatch, { type Operation } from 'fast-json-patch';

import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';
import { printable } from '../core/text.ts';
import { withExactNumbers, withoutExactNumbers } from './exact-text.ts';

/** A patch cannot be applied to an object; the message says which operation is wrong, at which path, and why. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

/**
 * Applies a JSON Patch (RFC 6902) to a copy of an object.
 *
 * @throws PatchError
 */
export function applyJsonPatch(object: JsonMap, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch)) throw new PatchError('a JSON Patch is a list of operations');
  const patched = patch.reduce(
    (document, operation, index) => applyOperation(document, withoutExactNumbers(operation), index),
    withoutExactNumbers(object),
  );
  return withExactNumbers(patched);
}

/** Makes the JSON Patch (RFC 6902) that turns one object into another. */
export function createJsonPatch(before: JsonMap, after: JsonMap): JsonValue[] {
  const operations = jsonPatch.compare(mapWithoutExactNumbers(before), mapWithoutExactNumbers(after));
  return operations.map((operation) => withExactNumbers({ ...operation }));
}

function mapWithoutExactNumbers(map: JsonMap): JsonMap {
  const copy = withoutExactNumbers(map);
  return isMap(copy) ? copy : {};
}

/** What RFC 6902 has; the library would take the name of anything that every JavaScript object has. */
const OPERATIONS: ReadonlySet<JsonValue | undefined> = new Set('add remove replace move copy test'.split(' '));

/** Applies one operation after the other, since the library's errors do not say reliably which one they are about. */
function applyOperation(document: JsonValue, operation: JsonValue, index: number): JsonValue {
  const fail = (problem: string): PatchError =>
    new PatchError(`operation ${index + 1}${labelOf(operation)} ${problem}`);
  if (!isMap(operation)) throw fail('is not a map');
  if (!OPERATIONS.has(ownValue(operation, 'op')))
    throw fail('must have an "op" of add, remove, replace, move, copy or test');
  try {
    // Its validation, which is asked for, says what else is no operation.
    return jsonPatch.applyOperation(document, operation as unknown as Operation, true).newDocument;
  } catch (error) {
    throw fail(problemOf(error));
  }
}

const MAX_SHOWN_LENGTH = 200;

/** ` (replace /spec/a)`, as far as an operation has both. */
function labelOf(operation: JsonValue): string {
  if (!isMap(operation)) return '';
  const parts = ['op', 'path'].map((key) => ownValue(operation, key)).filter((part) => typeof part === 'string');
  return parts.length === 0 ? '' : ` (${printable(parts.join(' '), MAX_SHOWN_LENGTH)})`;
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  // The library refuses these two as a `TypeError`, so that nobody changes what every JavaScript object has.
  if (error.message.includes('banned'))
    return 'names "__proto__", or "prototype" of "constructor", which is not supported here';
  const problem = PROBLEMS.get(error.name);
  if (problem === undefined) throw error;
  return problem;
}

/** By the library's names for what can be wrong. */
const PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['OPERATION_PATH_INVALID', 'must have a "path" that is a JSON Pointer such as /metadata/labels/team'],
  ['OPERATION_FROM_REQUIRED', 'must have a "from" that is a JSON Pointer such as /metadata/labels/team'],
  ['OPERATION_VALUE_REQUIRED', 'must have a "value"'],
  ['OPERATION_PATH_CANNOT_ADD', 'cannot add there: what would hold the value does not exist'],
  ['OPERATION_PATH_UNRESOLVABLE', 'names a path that does not exist in the object'],
  ['OPERATION_FROM_UNRESOLVABLE', 'has a "from" that does not exist in the object'],
  ['OPERATION_PATH_ILLEGAL_ARRAY_INDEX', 'must name an item of a list by its index, or by - for the end'],
  ['OPERATION_VALUE_OUT_OF_BOUNDS', 'names an index past the end of the list'],
  ['TEST_OPERATION_FAILED', 'failed: the object has another value there'],
]);
