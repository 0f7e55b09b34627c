import { isAlias, isMap as isYamlMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml';

import { isExactNumber, isMap, ownValue, parseJson, type JsonMap, type JsonValue } from '../core/json.ts';
import type { Path, Segment } from '../core/path.ts';
import { readYaml, readYamlDocuments, type TextProblem, type YamlText } from '../policy/yaml-text.ts';

/** More values than any object that an API server stores; fewer than a text of nested aliases stands for. */
const MAX_VALUES = 2_000_000;

/** A text is not a Kubernetes object; the message lists every problem, one a line. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** A line and a column of a text; both count from 1. */
export type Position = Pick<TextProblem, 'line' | 'column'>;

/** A Kubernetes object of a text. */
export interface ManifestObject {
  readonly object: JsonMap;
  /** Finds where in the text a path of the object is; of a path that is not there, where it would hang. */
  readonly positionOf: (path: Path) => Position;
}

/**
 * Reads a text of Kubernetes objects, YAML or JSON, without losing a digit: any number of documents, and Lists. YAML
 * means what it means to kubectl: `0644` is 420, `yes` is true, `<<` merges.
 *
 * @throws ManifestError naming everything that is wrong with the text, or that no object is in it
 */
export function parseObjects(text: string, file: string): ManifestObject[] {
  const json = parseIfJson(text);
  const documents = json === undefined || json === null ? parseYamlDocuments(text, file) : [jsonDocument(json, text)];
  const objects = documents.flatMap(({ value, start }, index) => {
    const positionIn = positionsOf(text, index, start);
    return objectsOf(value, file).map(({ object, path }) => ({
      object,
      positionOf: (below: Path) => positionIn([...path, ...below]),
    }));
  });
  if (objects.length === 0 && !documents.some(({ value }) => isMap(value)))
    throw new ManifestError([`${file}: contains no Kubernetes object`]);
  return objects;
}

interface FoundObject {
  readonly object: JsonMap;
  /** Where in its document it is. */
  readonly path: Path;
}

/** Finds the objects of a document: itself, or the items of a List; a document of nothing has none. */
function objectsOf(value: JsonValue, file: string): FoundObject[] {
  if (value === null) return [];
  if (!isMap(value)) throw new ManifestError([`${file}: contains no Kubernetes object`]);
  const kind = ownValue(value, 'kind');
  const items = ownValue(value, 'items');
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ object: value, path: [] }];
  return items.flatMap((item, index) => {
    if (!isMap(item)) throw new ManifestError([`${file}: items[${index}] of the ${kind} is no Kubernetes object`]);
    return [{ object: { ...kindOfItems(value, kind), ...item }, path: ['items', index] }];
  });
}

/** Items of a TFJobList may leave out that they are TFJobs. */
function kindOfItems(list: JsonMap, kind: string): JsonMap {
  const apiVersion = ownValue(list, 'apiVersion');
  return kind === 'List' || apiVersion === undefined ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
}

/** Finds positions; for any but the start it reads the text again, so that nobody holds the nodes of every file. */
function positionsOf(text: string, index: number, start: Position): (path: Path) => Position {
  let yaml: YamlText | undefined;
  return (path) => {
    if (path.length === 0) return start;
    yaml ??= readYamlDocuments(text, 'failsafe')[index];
    return yaml === undefined ? start : positionIn(yaml, path);
  };
}

function positionIn({ document, problemAt }: YamlText, path: Path): Position {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const segment of path) {
    const found = isYamlMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === segment)
      : itemAt(node, segment);
    if (found === undefined) break;
    offset = offsetOf(found.key) || offset;
    node = isAlias(found.value) ? found.value.resolve(document) : found.value;
  }
  const { line, column } = problemAt(offset, '');
  return { line, column };
}

function itemAt(node: unknown, segment: Segment): { key: unknown; value: unknown } | undefined {
  const item = isSeq(node) ? node.items[Number(segment)] : undefined;
  return item === undefined ? undefined : { key: item, value: item };
}

/**
 * Reads a text of one JSON value, as JSON or YAML.
 *
 * @throws ManifestError naming everything that is wrong with the text
 */
export function parseValue(text: string, file: string): JsonValue {
  const json = parseIfJson(text);
  return json === undefined ? readSound(readYaml(text, 'failsafe'), file) : json;
}

/** JSON is YAML, yet may be nested as deeply as the API server takes it. */
function parseIfJson(text: string): JsonValue | undefined {
  try {
    return parseJson(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined; // the reader of YAML says where it is wrong
  }
}

/** A document of a text, and where it begins. */
interface ParsedDocument {
  readonly value: JsonValue;
  readonly start: Position;
}

function parseYamlDocuments(text: string, file: string): ParsedDocument[] {
  return readYamlDocuments(text, 'failsafe').map((yaml) => ({
    value: readSound(yaml, file),
    start: positionIn(yaml, []),
  }));
}

function jsonDocument(value: JsonValue, text: string): ParsedDocument {
  const before = text.slice(0, text.search(/[^\s\uFEFF]/)).split('\n');
  return { value, start: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 } };
}

function readSound(yaml: YamlText, file: string): JsonValue {
  const problems = [...yaml.syntaxProblems, ...yaml.duplicateKeys];
  try {
    if (problems.length === 0) return readDocument(yaml);
  } catch (error) {
    if (error instanceof RangeError) problems.push(yaml.problemAt(0, 'nested too deeply'));
    else if (error instanceof UnreadableNode) problems.push(yaml.problemAt(error.offset, error.message));
    else throw error;
  }
  throw new ManifestError(problems.map((problem) => problemLine(file, problem)));
}

function problemLine(file: string, { line, column, text }: TextProblem): string {
  return `${file}:${line}:${column}: ${text}`;
}

/** A node stands for no JSON value; the message is for whoever wrote the file. */
class UnreadableNode extends Error {
  override readonly name = 'UnreadableNode';
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

interface Anchored {
  readonly value: JsonValue;
  /** How many values it is, itself included. */
  readonly size: number;
}

function readDocument({ document }: YamlText): JsonValue {
  const anchored = new Map<string, Anchored>();
  let size = 0;
  const grow = (by: number, offset: number): void => {
    size += by;
    if (size > MAX_VALUES) throw new UnreadableNode(offset, 'expands to too many values');
  };
  const read = (node: unknown): JsonValue => {
    if (isAlias(node)) {
      const found = anchored.get(node.source);
      if (found === undefined)
        throw new UnreadableNode(offsetOf(node), `"*${node.source}" refers to an undefined anchor`);
      grow(found.size, offsetOf(node));
      return found.value;
    }
    const sizeBefore = size;
    grow(1, 0);
    const value = readNode(node);
    const anchor = isYamlMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) anchored.set(anchor, { value, size: size - sizeBefore });
    return value;
  };
  const readNode = (node: unknown): JsonValue => {
    if (isYamlMap(node)) return readMap(node, read);
    if (isSeq(node)) return node.items.map(read);
    return isScalar(node) ? readScalar(node) : null;
  };
  return read(document.contents);
}

/** What a map merges in stands behind its own keys. */
function readMap({ items }: YAMLMap, read: (node: unknown) => JsonValue): JsonMap {
  const merged = items.filter(isMerge).flatMap(({ key, value }) => mergedMaps(read(value), offsetOf(key)));
  const own = items
    .filter((pair) => !isMerge(pair))
    .map(({ key, value }): [string, JsonValue] => [keyText(key), read(value)]);
  return Object.fromEntries([...merged.reverse().flatMap((map) => Object.entries(map)), ...own]);
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.type === 'PLAIN' && key.value === '<<';
}

function mergedMaps(value: JsonValue, offset: number): JsonMap[] {
  const maps = Array.isArray(value) ? value : [value];
  if (maps.every(isMap)) return maps;
  throw new UnreadableNode(offset, '"<<" can merge only maps');
}

function keyText(key: unknown): string {
  const value = isScalar(key) ? readScalar(key) : null;
  if (value === null || typeof value === 'object') {
    if (isExactNumber(value)) return value.source;
    throw new UnreadableNode(offsetOf(key), 'a key must be text');
  }
  return String(value);
}

function readScalar(scalar: Scalar): JsonValue {
  const text = String(scalar.value);
  if (scalar.type !== 'PLAIN' || scalar.tag !== undefined) return text;
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (NOT_A_NUMBER.test(text)) throw new UnreadableNode(offsetOf(scalar), `${text} is not a JSON number`);
  return readNumber(text) ?? text;
}

/** Source: sigs.k8s.io/yaml goyaml.v2/resolve.go, which is what kubectl reads with. */
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);
const NOT_A_NUMBER = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const BASED = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+)$/;
const DECIMAL = /^([-+]?)(?=\.?\d)0*(\d*)(?:\.(\d*))?((?:[eE][-+]?\d+)?)$/;

function readNumber(text: string): JsonValue | undefined {
  const plain = /^[-+.\d]/.test(text) ? text.replaceAll('_', '') : text;
  return readBased(plain) ?? readDecimal(plain);
}

function readBased(text: string): JsonValue | undefined {
  const [match, sign = '', digits = ''] = BASED.exec(text) ?? [];
  if (match === undefined) return undefined;
  const withPrefix = digits.replace(/^0(?=\d)/, '0o');
  return parseNumber(`${minus(sign)}${BigInt(withPrefix)}`);
}

function readDecimal(text: string): JsonValue | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match;
  const decimals = fraction === '' ? '' : `.${fraction}`;
  return parseNumber(`${minus(sign)}${whole || '0'}${decimals}${exponent}`);
}

/** A number alone is not looked at to the last digit. */
function parseNumber(text: string): JsonValue | undefined {
  const list = parseJson(`[${text}]`);
  return Array.isArray(list) ? list[0] : undefined;
}

function minus(sign: string): string {
  return sign === '-' ? '-' : '';
}

function offsetOf(node: unknown): number {
  return isAlias(node) || isScalar(node) || isYamlMap(node) || isSeq(node) ? (node.range?.[0] ?? 0) : 0;
}
