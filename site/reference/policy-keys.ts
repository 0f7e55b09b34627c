import schema from '../../schemas/policy.schema.json' with { type: 'json' };
import { code, table } from './table.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Writes the page about the keys of a policy, from its schema. */
export function policyKeysPage(): string {
  return [
    '# Keys of a policy',
    schema.description,
    '[The policy file](../../docs/policy.md) shows what they are for. `[]` stands for each item of a list.',
    table(['key', 'type', '', 'default'], rowsBelow(schema, '')),
  ].join('\n\n');
}

function rowsBelow(at: Schema, prefix: string): string[][] {
  const required = Array.isArray(at['required']) ? at['required'] : [];
  return Object.entries(mapAt(at, 'properties')).flatMap(([key, own]) => {
    const value = resolved(own);
    const path = `${prefix}${key}`;
    const items = resolved(value['items']);
    return [
      [code(path), typeOf(value), described(value), required.includes(key) ? 'required' : defaultOf(value)],
      ...rowsBelow(value, `${path}.`),
      ...rowsBelow(items, `${path}[].`),
    ];
  });
}

/** What a schema says itself goes before what it refers to. */
function resolved(value: unknown): Schema {
  const own = mapOf(value);
  const reference = own['$ref'];
  if (typeof reference !== 'string') return own;
  return { ...resolved(mapAt(schema, 'definitions')[reference.replace('#/definitions/', '')]), ...own };
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['array', 'list'],
  ['object', 'map'],
  ['string', 'text'],
  ['boolean', 'true or false'],
]);

function typeOf(value: Schema): string {
  if ('const' in value) return code(String(value['const']));
  if (Array.isArray(value['enum'])) return value['enum'].map((each) => code(String(each))).join(', ');
  return [value['type']]
    .flat()
    .map((type) => TYPES.get(String(type)) ?? code(String(type)))
    .join(' or ');
}

function described({ title, description }: Schema): string {
  return [title, description]
    .flatMap((text) => (typeof text === 'string' ? [text.replace(/\.$/, '')] : []))
    .join('. ')
    .replaceAll('*', String.raw`\*`);
}

function defaultOf(value: Schema): string {
  return 'default' in value ? code(JSON.stringify(value['default'])) : '';
}

function mapAt(value: Schema, key: string): Schema {
  return mapOf(value[key]);
}

function mapOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
