import type { ErrorObject } from 'ajv';

import { parsePointer, pointer, type Path } from '../core/path.ts';
import { printable } from '../core/text.ts';
import { KNOWN_KINDS } from './known-kinds.ts';
import { nearest } from './nearest.ts';

/** Something that is wrong at a place of a policy document. */
export interface PolicyProblem {
  readonly path: Path;
  /** Whether it is the key that is wrong, and not what stands behind it. */
  readonly isAtKey: boolean;
  readonly text: string;
}

/** What ajv says, if it is told to be verbose. */
type SchemaError = Pick<ErrorObject, 'keyword' | 'instancePath' | 'schemaPath' | 'parentSchema' | 'data'> & {
  readonly params: Readonly<Record<string, unknown>>;
};

/** Parts of the schema whose errors are said better by the `anyOf` around them, or by a rule that knows the group. */
const SAID_ELSEWHERE = ['/anyOf/', '/resourceName/pattern'];

/** Words what the schema finds wrong; undefined where another of its errors says it better. */
export function wordSchemaError(error: SchemaError): PolicyProblem | undefined {
  if (SAID_ELSEWHERE.some((part) => error.schemaPath.includes(part))) return undefined;
  // The keys of a policy are known, and none of them is a number.
  const path = (parsePointer(error.instancePath) ?? []).map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  const at = (key: unknown): Path => [...path, String(key)];
  switch (error.keyword) {
    case 'additionalProperties':
      return { path: at(error.params['additionalProperty']), isAtKey: true, text: unknownKey(error) };
    case 'required':
      return { path: at(error.params['missingProperty']), isAtKey: false, text: missingKey(error) };
    default:
      return { path, isAtKey: false, text: wrongValue(error) };
  }
}

function unknownKey({ params, parentSchema }: SchemaError): string {
  const known = keysOf(parentSchema?.['properties']);
  const meant = nearest(String(params['additionalProperty']), known);
  return meant === undefined ? `unknown key; known are ${known.join(', ')}` : `unknown key; did you mean "${meant}"?`;
}

function missingKey({ params, parentSchema }: SchemaError): string {
  const key = String(params['missingProperty']);
  const value = valueIn(valueIn(parentSchema?.['properties'], key), 'const');
  return typeof value === 'string' ? `missing; write "${key}: ${value}"` : 'missing';
}

function wrongValue(error: SchemaError): string {
  const word = VALUE_PROBLEMS.get(error.keyword);
  return word === undefined ? `is not valid (${error.keyword})` : word(error);
}

export const EXEMPTS_NOBODY = 'exempts nobody; write usernames, groups or both';

const VALUE_PROBLEMS: ReadonlyMap<string, (error: SchemaError) => string> = new Map<
  string,
  (error: SchemaError) => string
>([
  ['type', ({ params, data }) => wrongType(String(params['type']), data)],
  ['const', ({ params, data }) => `must be ${shown(params['allowedValue'])}, not ${shown(data)}`],
  ['enum', ({ params, data }) => notAmong(params['allowedValues'], data)],
  ['pattern', ({ schemaPath, data }) => wrongText(schemaPath, String(data))],
  ['minItems', () => 'the list is empty; name at least one'],
  ['minLength', () => 'the text is empty'],
  ['maxLength', ({ params, data }) => tooLong(Number(params['limit']), String(data))],
  ['anyOf', () => EXEMPTS_NOBODY],
]);

/** What a type is called, by its name in JSON Schema. */
const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['array', 'a list'],
  ['object', 'a map'],
  ['boolean', 'true or false'],
  ['string', 'text'],
  ['string,null', 'text'],
  ['array,null', 'a list'],
  ['boolean,object', 'true, false or a map with usernames'],
]);

/** What people write for a boolean where YAML 1.2 has text. */
const BOOLEAN_WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', 'y'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', 'n'].map((word) => [word, false] as const),
]);

function wrongType(expected: string, data: unknown): string {
  const meant = meantByType(expected, data);
  const wrong = `must be ${TYPE_NAMES.get(expected) ?? expected}, not ${shown(data)}`;
  return meant === undefined ? wrong : `${wrong}; write ${meant}`;
}

function meantByType(expected: string, data: unknown): string | undefined {
  if (expected.startsWith('string') && (typeof data === 'number' || typeof data === 'boolean'))
    return `"${String(data)}"`;
  if (typeof data !== 'string') return undefined;
  if (expected.startsWith('array')) return `[${shown(data)}]`;
  const meant = expected.startsWith('boolean') ? BOOLEAN_WORDS.get(data.toLowerCase()) : undefined;
  return meant === undefined ? undefined : String(meant);
}

function notAmong(allowed: unknown, data: unknown): string {
  const words: string[] = Array.isArray(allowed) ? allowed.map(String) : [];
  const meant = typeof data === 'string' ? nearest(data, words) : undefined;
  const wrong = `must be one of ${words.join(', ')}, not ${shown(data)}`;
  return meant === undefined ? wrong : `${wrong}; did you mean "${meant}"?`;
}

/** Words what does not match a pattern: `#/definitions/path/pattern`. */
function wrongText(schemaPath: string, text: string): string {
  const word = PATTERN_PROBLEMS.get(schemaPath.split('/').at(-2) ?? '');
  return word === undefined ? `${shown(text)} is not valid` : word(text);
}

/** By the definition in the schema that the pattern belongs to. */
const PATTERN_PROBLEMS: ReadonlyMap<string, (text: string) => string> = new Map<string, (text: string) => string>([
  ['path', wrongPath],
  ['podTemplate', (text) => (text === '' ? '"" is the whole object, not a pod template' : wrongPath(text))],
  ['fixedPath', wrongFixedPath],
  ['group', (text) => `${shown(text)} is not an API group; ${meantByGroup(text)}`],
  ['namespace', (text) => `${shown(text)} matches no namespace; ${meantByNamespace(text)}`],
  ['line', (text) => (text.trim() === '' ? 'the text is empty' : 'must be one line, without control characters')],
  ['moment', (text) => `${shown(text)} is not a day or a moment; write it as in 2027-01-31 or 2027-01-31T18:00:00Z`],
  [
    'exemptionName',
    (text) => `${shown(text)} is not a name: up to 63 letters, digits, "-", "_" and ".", a letter or digit at each end`,
  ],
]);

function tooLong(limit: number, text: string): string {
  return `has ${Array.from(text).length} characters; at most ${limit} are allowed`;
}

function wrongFixedPath(text: string): string {
  if (text === '') return '"" is the whole object, not one field of it';
  const segments = parsePointer(text) ?? [];
  return segments.includes('*') ? `${shown(text)} must name one field, without "*"` : wrongPath(text);
}

/** Words what is wrong with a text that the schema does not take for a path. */
export function wrongPath(text: string): string {
  const segments = parsePointer(text);
  if (segments === undefined) return `${shown(text)} is not a JSON Pointer; ${advice(meantByPath(text))}`;
  if (segments.includes('')) {
    const meant = pointer(segments.filter((segment) => segment !== ''));
    return `${shown(text)} has an empty segment; ${advice(meant)}`;
  }
  const meant = pointer(segments.map((segment) => (segment.includes('*') ? '*' : segment)));
  return `"*" stands for a whole segment, not for a part of one as in ${shown(text)}; ${advice(meant)}`;
}

function advice(path: string): string {
  return path === '' ? 'write it as in "/metadata/labels"' : `write ${shown(path)}`;
}

/** Guesses the JSON Pointer behind `spec/foo`, `.spec.foo`, `spec.containers[0].image` and a lone `~`. */
function meantByPath(text: string): string {
  const escaped = text.replaceAll(/~(?![01])/g, '~0');
  if (escaped.includes('/')) return escaped.startsWith('/') ? escaped : `/${escaped}`;
  const segments = escaped.split(/[.[\]"'$]+/).filter((segment) => segment !== '');
  return segments.map((segment) => `/${segment}`).join('');
}

function meantByGroup(text: string): string {
  const [group = '', version] = text.split('/');
  if (version !== undefined) return `write ${shown(group)}, without a version`;
  const meant = nearest(
    group,
    KNOWN_KINDS.map((kind) => kind.group),
  );
  return meant === undefined ? 'write it as in kubeflow.org' : `write ${shown(meant)}`;
}

function meantByNamespace(text: string): string {
  const meant = text
    .toLowerCase()
    .replaceAll(/[^-a-z0-9*]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return meant === '' ? 'write it as in team-a or team-*' : `write ${shown(meant)}`;
}

const MAX_SHOWN_LENGTH = 64;

/** Writes a value of a policy as it may be quoted: a policy holds no secrets, yet may hold anything by mistake. */
function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? `"${printable(value, MAX_SHOWN_LENGTH)}"` : JSON.stringify(value);
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function valueIn(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(key);
}
