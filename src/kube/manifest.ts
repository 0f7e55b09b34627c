import { isAlias, isMap as isYamlMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml';

import { isExactNumber, isMap, type JsonMap, type JsonValue, ownValue, parseJson } from '../core/json.ts';
import { readYaml, type TextProblem, type YamlText } from '../policy/yaml-text.ts';

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

/**
 * Reads a file of one Kubernetes object, YAML or JSON, without losing a digit. YAML means what it means to kubectl:
 * `0644` is 420, `yes` is true, `<<` merges.
 *
 * @throws ManifestError naming everything that is wrong with the text
 */
export function parseManifest(text: string, file: string): JsonMap {
  const value = parseValue(text, file);
  if (!isMap(value)) throw new ManifestError([`${file}: contains no Kubernetes object`]);
  const kind = ownValue(value, 'kind');
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(ownValue(value, 'items'))) {
    throw new ManifestError([`${file}: contains a ${kind}; each file must contain one object`]);
  }
  return value;
}

/**
 * Reads a text of one JSON value, as JSON or YAML, as `parseManifest` does.
 *
 * @throws ManifestError naming everything that is wrong with the text
 */
export function parseValue(text: string, file: string): JsonValue {
  return parseIfJson(text) ?? parseYaml(text, file);
}

/** JSON is YAML, yet may be nested as deeply as the API server takes it. */
function parseIfJson(text: string): JsonValue | undefined {
  try {
    return parseJson(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined; // the reader of YAML says where it is wrong
  }
}

function parseYaml(text: string, file: string): JsonValue {
  const yaml = readYaml(text, 'failsafe');
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
  return isAlias(node) || isScalar(node) ? (node.range?.[0] ?? 0) : 0;
}
