import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import { UNKNOWN } from '../core/field-type.ts';
import type { JsonValue } from '../core/json.ts';
import { fieldPath } from '../core/field-path.ts';
import type { Path } from '../core/path.ts';
import { resourceName } from '../core/resource-name.ts';
import { namedResources, textsAt, valuesAt, type FoundText } from './document-values.ts';
import { wrongPaths } from './field-rules.ts';
import { broadIdentities, wrongServiceAccounts } from './identity-rules.ts';
import { parseMoment } from './moment.ts';
import { PRESETS } from './presets.ts';
import { wrongResources } from './resource-rules.ts';
import { EXEMPTS_NOBODY, type PolicyProblem } from './wording.ts';

/**
 * Returns what a schema cannot say of a policy document. Where the document breaks the schema, whatever has another
 * type than it should is passed over.
 */
export function brokenRules(document: JsonValue): PolicyProblem[] {
  return [
    ...wrongPaths(document),
    ...emptyExemptions(document),
    ...impossibleMoments(document),
    ...exemptionNames(document),
    ...repeatedResources(document),
    ...wrongResources(document),
    ...wrongServiceAccounts(document),
    ...broadIdentities(document),
  ];
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
  return textsAt(document, ['/exemptions/*/expires'])
    .filter(({ value }) => LIKE_A_MOMENT.test(value) && parseMoment(value) === undefined)
    .map(({ path, value }) => ({ path, isAtKey: false, text: `${JSON.stringify(value)} is not a real date and time` }));
}

const LIKE_A_MOMENT = new RegExp(policySchema.definitions.moment.pattern);

function exemptionNames(document: JsonValue): PolicyProblem[] {
  const names = textsAt(document, ['/exemptions/*/name']);
  const presets = names
    .filter(({ value }) => Object.hasOwn(PRESETS, value))
    .map(({ path, value }) => ({
      path,
      isAtKey: false,
      text: `${JSON.stringify(value)} is the name of a preset; choose another, or set it under "presets"`,
    }));
  return [...presets, ...repeated(names)];
}

function repeatedResources(document: JsonValue): PolicyProblem[] {
  const names = namedResources(document).map(({ path, group, resource }) => ({
    path,
    value: resourceName(group, resource),
  }));
  return repeated(names);
}

/** Finds names that stand at an earlier place already. */
function repeated(names: readonly FoundText[]): PolicyProblem[] {
  const seen = new Map<string, Path>();
  return names.flatMap(({ path, value }) => {
    const earlier = seen.get(value);
    if (earlier === undefined) {
      seen.set(value, path);
      return [];
    }
    const place = fieldPath(earlier, UNKNOWN);
    return [{ path, isAtKey: false, text: `${JSON.stringify(value)} stands at ${place} already` }];
  });
}
