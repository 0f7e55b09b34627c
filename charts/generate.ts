/**
 * Writes what follows from the comments of values.yaml and from the policy's schema: the table in the chart's README, and
 * in values.schema.json the descriptions and the definitions of the policy.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { format } from 'prettier';
import { isMap, isNode, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

/** A value of the chart, as the README lists it. */
export interface DocumentedValue {
  readonly path: readonly string[];
  readonly description: string;
  /** undefined for a map whose keys are listed themselves. */
  readonly defaultValue: unknown;
}

type JsonObject = Record<string, unknown>;

const CHART = join(import.meta.dirname, 'jobguard');
const TABLE = /(?<=<!-- values: generated from values\.yaml -->\n)[\s\S]*(?=<!-- end of values -->)/;

/** Returns the content that the generated files should have, by path. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  const [readmePath, schemaPath] = [join(CHART, 'README.md'), join(CHART, 'values.schema.json')];
  const values = documentedValues(await read(join(CHART, 'values.yaml')));
  const policySchema = jsonObject(await read(join(import.meta.dirname, '../schemas/policy.schema.json')));
  const schema = withPolicy(jsonObject(await read(schemaPath)), policySchema);
  for (const value of values) describe(schema, value);
  const readme = (await read(readmePath)).replace(TABLE, () => `\n${table(values)}\n`);
  return new Map([
    [readmePath, await format(readme, { parser: 'markdown', printWidth: 120 })],
    [schemaPath, await format(JSON.stringify(schema), { parser: 'json', printWidth: 120 })],
  ]);
}

/**
 * Reads the comments of a values.yaml.
 *
 * @throws Error that names a value without a comment
 */
export function documentedValues(yaml: string): DocumentedValue[] {
  const { contents } = parseDocument(yaml);
  return isMap(contents) ? valuesBelow(contents, []) : [];
}

function valuesBelow(map: YAMLMap, parent: readonly string[]): DocumentedValue[] {
  return map.items.flatMap((pair): DocumentedValue[] => {
    const path = [...parent, String(pair.key)];
    const description = comment(map, pair);
    const below = isMap(pair.value) && isDocumented(pair.value) ? valuesBelow(pair.value, path) : undefined;
    if (description === undefined && below === undefined) throw new Error(`${path.join('.')} has no comment`);
    const defaultValue: unknown = below === undefined && isNode(pair.value) ? pair.value.toJSON() : undefined;
    return [...(description === undefined ? [] : [{ path, description, defaultValue }]), ...(below ?? [])];
  });
}

/** Whether a comment stands somewhere below; else the map is one value. */
function isDocumented(map: YAMLMap): boolean {
  return map.items.some((pair) => comment(map, pair) !== undefined || (isMap(pair.value) && isDocumented(pair.value)));
}

function comment(map: YAMLMap, pair: Pair): string | undefined {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined;
  // The parser gives the comment above the first key to the map.
  const text = own ?? (pair === map.items[0] ? map.commentBefore : undefined);
  // What a blank line parts from the key is not about it.
  return text
    ?.split(/\n\s*\n/)
    .at(-1)
    ?.replaceAll(/\s+/g, ' ')
    .trim();
}

function table(values: readonly DocumentedValue[]): string {
  const rows = values.map(
    ({ path, description, defaultValue }) =>
      `| \`${path.join('.')}\` | ${description.replaceAll('|', '\\|')} | ${defaultValue === undefined ? '' : code(defaultValue)} |`,
  );
  return `${['| value | | default |', '| --- | --- | --- |', ...rows].join('\n')}\n`;
}

/** Long lists and maps would make the table unreadable; they stand in values.yaml. */
const LONGEST_DEFAULT = 60;

function code(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST_DEFAULT ? 'see values.yaml' : `\`${text}\``;
}

/** The policy's references go to `#/definitions`, where the chart's own definitions stand as well. */
function withPolicy(schema: JsonObject, policySchema: JsonObject): JsonObject {
  const policy = Object.entries(policySchema).filter(([key]) => !['$schema', '$id', 'definitions'].includes(key));
  const definitions = { ...objectAt(schema, 'definitions'), ...objectAt(policySchema, 'definitions') };
  return { ...schema, definitions: { ...definitions, policy: Object.fromEntries(policy) } };
}

/** Sets the description of a value in the chart's schema; the policy's own schema describes what is below `policy`. */
function describe(schema: JsonObject, { path, description }: DocumentedValue): void {
  if (path[0] === 'policy' && path.length > 1) return;
  const property = path.reduce((parent, key) => objectAt(objectAt(parent, 'properties'), key), schema);
  property['description'] = description;
}

function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  if (!isObject(value)) throw new Error(`the schema has no ${key}`);
  return value;
}

function jsonObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('not a JSON object');
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

if (import.meta.main) {
  for (const [path, content] of await generatedFiles()) await writeFile(path, content);
}
