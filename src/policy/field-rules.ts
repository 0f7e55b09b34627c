import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import { fieldPath } from '../core/field-path.ts';
import { objectType, replaceAt, structType, UNKNOWN, type FieldType } from '../core/field-type.ts';
import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';
import { parsePointer, pointer, type Pattern } from '../core/path.ts';
import { resourceName } from '../core/resource-name.ts';
import { DEFAULT_RESOURCES } from './defaults.ts';
import type { CompletePolicy } from './document.ts';
import { isSet, namedResources, textsAt, type FoundText, type NamedResource } from './document-values.ts';
import { knownKind, type KnownKind } from './known-kinds.ts';
import { correctPath, missIn, typesBelow, type Miss } from './misspelt-path.ts';
import { wrongPath, type PolicyProblem } from './wording.ts';

/** Where a policy says what may change, in every guarded resource. */
const COMMON_PLACES = ['/allow/*', '/exemptions/*/paths/*'];

/** Where an entry of `resources` says what may change, and where its parts are. */
const OWN_GRANTS = ['/allow/*'];
const OWN_PARTS = ['/podTemplates/*', '/scaleReplicasPath', '/suspendPath'];

/** A guarded resource, and what is known of its objects. */
interface Guarded {
  readonly name: string;
  readonly type: FieldType;
}

/** A path, and the resources whose objects it may be meant for. */
interface Meant {
  readonly found: FoundText;
  readonly pattern: Pattern;
  readonly resources: readonly Guarded[];
}

/** Finds paths that let too much change, and those that name a field which no guarded resource has. */
export function wrongPaths(document: JsonValue): PolicyProblem[] {
  const resources = guardedResources(document);
  const common = meantPaths(textsAt(document, COMMON_PLACES), resources);
  const own = (places: readonly string[]): Meant[] =>
    namedResources(document).flatMap(({ path, entry }, index) => {
      const found = textsAt(entry, places).map((text) => ({ ...text, path: [...path, ...text.path] }));
      return meantPaths(found, resources.slice(index, index + 1));
    });
  const grants = [...common, ...own(OWN_GRANTS)];
  return [
    ...(isSet(document, 'allowBroadPaths') ? [] : grants.flatMap(broadPath)),
    ...(isSet(document, 'allowUnknownPaths') ? [] : [...grants, ...own(OWN_PARTS)].flatMap(unknownField)),
  ];
}

/** Words what is wrong with a path of which somebody asks who may change it; undefined where nothing is. */
export function misaskedPath(path: string, policy: CompletePolicy): string | undefined {
  if (!isPath(path)) return wrongPath(path);
  if (policy.allowUnknownPaths) return undefined;
  const resources = policy.resources.map(({ group, resource, podTemplates }) =>
    guarded({ group, resource, entry: { podTemplates: [...podTemplates] } }),
  );
  const [problem] = meantPaths([{ path: [], value: path }], resources).flatMap(unknownField);
  return problem?.text;
}

/** What the schema refuses is no business of these rules. */
function meantPaths(texts: readonly FoundText[], resources: readonly Guarded[]): Meant[] {
  return texts
    .filter(({ value }) => isPath(value))
    .map((found) => ({ found, pattern: segmentsOf(found.value), resources }));
}

const { maxLength: MAX_PATH_LENGTH, pattern: PATH_PATTERN } = policySchema.definitions.path;
const PATH = new RegExp(PATH_PATTERN);

function isPath(text: string): boolean {
  return text.length <= MAX_PATH_LENGTH && PATH.test(text);
}

/** Finds paths that switch the guard off, and those that let whole replica types or containers come and go. */
function broadPath({ found: { path, value }, pattern, resources }: Meant): PolicyProblem[] {
  const letsChange = whatIsBroad(pattern, resources);
  const text = `${JSON.stringify(value)} lets ${String(letsChange)}; if that is meant, write "allowBroadPaths: true"`;
  return letsChange === undefined ? [] : [{ path, isAtKey: false, text }];
}

function whatIsBroad(pattern: Pattern, resources: readonly Guarded[]): string | undefined {
  const [first = '*', ...others] = pattern;
  const isNearRoot = ['*', 'spec', 'metadata'].includes(first) && others.every((segment) => segment === '*');
  if (isNearRoot) return 'nearly everything change';
  const isWholeEntry = pattern.at(-1) === '*' && resources.some(({ type }) => coversRoles(type, pattern));
  return isWholeEntry ? 'replica types or containers come and go' : undefined;
}

function coversRoles(type: FieldType, pattern: Pattern): boolean {
  return typesBelow(type, pattern).some(
    ({ fields }) => fields.has('template') || fields.get('image')?.isContainerImage === true,
  );
}

function guardedResources(document: JsonValue): Guarded[] {
  const isDefault = isMap(document) && !Object.hasOwn(document, 'resources');
  return (isDefault ? DEFAULT_RESOURCES : namedResources(document)).map(guarded);
}

/**
 * Returns what is known of a resource's objects, to tell typing errors: all of a kind whose Go types are known, of others
 * their metadata and what lies below their pod templates.
 */
function guarded({
  group,
  resource,
  entry = {},
}: Pick<NamedResource, 'group' | 'resource'> & { entry?: JsonMap }): Guarded {
  const name = resourceName(group, resource);
  const known = knownKind(group, resource);
  const type = objectType(group, resource, []);
  if (type.kind === 'struct') return { name, type: known === undefined ? type : withKnown(type, known) };

  const own = textsAt(entry, ['/podTemplates/*'])
    .map(({ value }) => value)
    .filter(isPath);
  const templates = ownValue(entry, 'podTemplates') === undefined ? (known?.podTemplates ?? []) : own;
  const below = objectType(group, resource, templates.map(segmentsOf));
  return { name, type: replaceAt(below, ['metadata'], () => structType('meta/v1.ObjectMeta')) };
}

/** Adds to the Go types of a kind what else is known of it. */
function withKnown(type: FieldType, { otherSpecFields, keys }: KnownKind): FieldType {
  return withKeys(withOtherFields(type, otherSpecFields), keys);
}

/** Adds fields of `spec` that other versions have: where `runPolicy` has one of the name, with its type. */
function withOtherFields(type: FieldType, names: readonly string[]): FieldType {
  return replaceAt(type, ['spec'], (spec) => {
    const policy = spec.fields.get('runPolicy')?.fields;
    const others = names.map((name): [string, FieldType] => [name, policy?.get(name) ?? UNKNOWN]);
    return { ...spec, fields: new Map([...others, ...spec.fields]) };
  });
}

/** Names the keys of maps whose keys are a fixed set. */
function withKeys(type: FieldType, keys: KnownKind['keys']): FieldType {
  return Object.entries(keys).reduce(
    (changed, [place, names]) =>
      replaceAt(changed, segmentsOf(place), (map) => ({
        ...map,
        fields: new Map(names.map((name) => [name, map.items ?? UNKNOWN])),
      })),
    type,
  );
}

function segmentsOf(path: string): Pattern {
  return parsePointer(path) ?? [];
}

/** What one resource says to a path. */
interface Reading extends Guarded {
  readonly miss: Miss | undefined;
  readonly corrected: Pattern | undefined;
}

function unknownField({ found, pattern, resources }: Meant): PolicyProblem[] {
  const readings = resources.map(({ name, type }) => ({
    name,
    type,
    miss: missIn(type, pattern),
    corrected: correctPath(type, pattern),
  }));
  const wrong = likeliest(readings);
  const isFound = readings.some(({ type, miss }) => miss === undefined && type.kind === 'struct');
  if (wrong?.miss === undefined || isFound) return [];
  // A kind that jobguard does not know may have any field, but hardly one that is spelt nearly as a known one.
  const isRespelt = wrong.corrected?.length === pattern.length;
  if (!isRespelt && readings.some(({ miss }) => miss === undefined)) return [];

  const field = fieldPath(pattern.slice(0, wrong.miss.depth + 1), wrong.type);
  const who = readings.length === 1 ? `${wrong.name} has no field` : 'no guarded resource has a field';
  return [{ path: found.path, isAtKey: false, text: `${who} ${field}; ${wayOutOf(wrong)}` }];
}

function wayOutOf({ corrected }: Reading): string {
  return corrected === undefined
    ? 'if its CRD has it, write "allowUnknownPaths: true"'
    : `did you mean ${JSON.stringify(pointer(corrected))}?`;
}

/** Returns the resource that a wrong path was most likely meant for: one that knows a better, or else most of it. */
function likeliest(readings: readonly Reading[]): Reading | undefined {
  const wrong = readings.filter(({ miss }) => miss !== undefined);
  const deepest = wrong.toSorted((a, b) => (b.miss?.depth ?? 0) - (a.miss?.depth ?? 0));
  return deepest.find(({ corrected }) => corrected !== undefined) ?? deepest[0];
}
