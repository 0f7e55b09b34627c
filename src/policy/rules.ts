import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import { UNKNOWN } from '../core/field-type.ts';
import { isMap, ownValue, type JsonValue } from '../core/json.ts';
import { fieldPath } from '../core/field-path.ts';
import { parsePointer, type Path } from '../core/path.ts';
import { resourceName } from '../core/resource-name.ts';
import { parseMoment } from './moment.ts';
import { PRESETS } from './presets.ts';
import { EXEMPTS_NOBODY, type PolicyProblem } from './wording.ts';

/** A value of a policy document, and where it is. */
interface Found {
  readonly path: Path;
  readonly value: JsonValue;
}

/** Where a policy names what may be changed. */
const CHANGEABLE_PLACES = ['/allow/*', '/resources/*/allow/*', '/exemptions/*/paths/*'];

/**
 * Returns what a schema cannot say of a policy document. Where the document breaks the schema, whatever has another
 * type than it should is passed over.
 */
export function brokenRules(document: JsonValue): PolicyProblem[] {
  return [
    ...broadPaths(document),
    ...emptyExemptions(document),
    ...impossibleMoments(document),
    ...exemptionNames(document),
    ...repeatedResources(document),
  ];
}

function broadPaths(document: JsonValue): PolicyProblem[] {
  if (isMap(document) && ownValue(document, 'allowBroadPaths') === true) return [];
  return CHANGEABLE_PLACES.flatMap((place) => valuesAt(document, place))
    .filter(({ value }) => typeof value === 'string' && isBroad(value))
    .map(({ path, value }) => ({
      path,
      isAtKey: false,
      text: `${JSON.stringify(value)} lets nearly everything change; if that is meant, write "allowBroadPaths: true"`,
    }));
}

function isBroad(path: string): boolean {
  const segments = parsePointer(path);
  if (segments === undefined) return false;
  const [first = '*', ...others] = segments;
  return ['*', 'spec', 'metadata'].includes(first) && others.every((segment) => segment === '*');
}

/** Finds exemptions whose lists of writers are all empty; the schema says where both are missing. */
function emptyExemptions(document: JsonValue): PolicyProblem[] {
  return valuesAt(document, '/exemptions/*')
    .filter(({ value }) => {
      const writers = [...valuesAt(value, '/usernames'), ...valuesAt(value, '/groups')];
      return writers.length > 0 && writers.every(({ value: list }) => Array.isArray(list) && list.length === 0);
    })
    .map(({ path }) => ({ path, isAtKey: false, text: EXEMPTS_NOBODY }));
}

/** Finds days that no calendar has, and hours that no clock has; the schema says where it is no moment at all. */
function impossibleMoments(document: JsonValue): PolicyProblem[] {
  return valuesAt(document, '/exemptions/*/expires')
    .filter(({ value }) => typeof value === 'string' && LIKE_A_MOMENT.test(value) && parseMoment(value) === undefined)
    .map(({ path, value }) => ({ path, isAtKey: false, text: `${JSON.stringify(value)} is not a real date and time` }));
}

const LIKE_A_MOMENT = new RegExp(policySchema.definitions.moment.pattern);

function exemptionNames(document: JsonValue): PolicyProblem[] {
  const names = valuesAt(document, '/exemptions/*/name');
  const presets = names
    .filter(({ value }) => typeof value === 'string' && Object.hasOwn(PRESETS, value))
    .map(({ path, value }) => ({
      path,
      isAtKey: false,
      text: `${JSON.stringify(value)} is the name of a preset; choose another, or set it under "presets"`,
    }));
  return [...presets, ...repeated(names, ({ value }) => (typeof value === 'string' ? value : undefined))];
}

function repeatedResources(document: JsonValue): PolicyProblem[] {
  return repeated(valuesAt(document, '/resources/*'), ({ value }) => {
    if (!isMap(value)) return undefined;
    const [group, resource] = [ownValue(value, 'group'), ownValue(value, 'resource')];
    return typeof group === 'string' && typeof resource === 'string' ? resourceName(group, resource) : undefined;
  });
}

/** Finds what has the same name as something before it. */
function repeated(found: readonly Found[], nameOf: (item: Found) => string | undefined): PolicyProblem[] {
  const seen = new Map<string, Found>();
  return found.flatMap((item) => {
    const name = nameOf(item);
    const earlier = name === undefined ? undefined : seen.get(name);
    if (name === undefined) return [];
    if (earlier === undefined) {
      seen.set(name, item);
      return [];
    }
    const place = fieldPath(earlier.path, UNKNOWN);
    return [{ path: item.path, isAtKey: false, text: `${JSON.stringify(name)} stands at ${place} already` }];
  });
}

/** Returns the values at a place, where `*` is every item of a list. */
function valuesAt(document: JsonValue, place: string): Found[] {
  return (parsePointer(place) ?? []).reduce<Found[]>(
    (found, segment) => found.flatMap((at) => childrenAt(at, segment)),
    [{ path: [], value: document }],
  );
}

function childrenAt({ path, value }: Found, segment: string): Found[] {
  if (segment === '*') {
    const items = Array.isArray(value) ? value : [];
    return items.map((item, index) => ({ path: [...path, index], value: item }));
  }
  const child = isMap(value) ? ownValue(value, segment) : undefined;
  return child === undefined ? [] : [{ path: [...path, segment], value: child }];
}
