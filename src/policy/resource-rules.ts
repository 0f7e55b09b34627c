import policySchema from '../../schemas/policy.schema.json' with { type: 'json' };
import { ownValue, type JsonValue } from '../core/json.ts';
import { namedResources, type NamedResource } from './document-values.ts';
import { KNOWN_KINDS, knownPluralsOf, pluralsOf } from './known-kinds.ts';
import { leastFar, nearest } from './nearest.ts';
import type { PolicyProblem } from './wording.ts';

/**
 * Finds resources that no cluster has: a typing error would leave the meant one unguarded. A resource in a group that
 * jobguard does not know is taken as it is, if it looks like a plural.
 */
export function wrongResources(document: JsonValue): PolicyProblem[] {
  return namedResources(document).flatMap((named) => {
    const wrong = wrongName(named) ?? wrongGroup(named) ?? unknownInGroup(named);
    return wrong === undefined ? [] : [{ path: [...named.path, wrong.key], isAtKey: false, text: wrong.text }];
  });
}

interface Wrong {
  readonly key: 'group' | 'resource';
  readonly text: string;
}

const GROUP = new RegExp(policySchema.definitions.group.pattern);
const PLURAL_NAME = new RegExp(policySchema.definitions.resourceName.pattern);

/** Words a name that the schema refuses: `TFJob`, `tfjobs/scale`, `tfjobs.kubeflow.org`. */
function wrongName({ group, resource }: NamedResource): Wrong | undefined {
  if (PLURAL_NAME.test(resource)) return undefined;
  const text = `${quoted(resource)} is not the plural name of a resource; ${meantByName(group, resource)}`;
  return { key: 'resource', text };
}

function meantByName(group: string, resource: string): string {
  const [, name = '', mark, rest] = /^(.*?)(?:([/.])(.*))?$/s.exec(resource) ?? [];
  if (mark === '/') return `write ${quoted(name)}, its subresources are guarded with it`;
  if (mark === '.') return `write "resource: ${name}" and "group: ${String(rest)}"`;
  const meant = nearest(name, pluralsOf(group)) ?? (/^[A-Za-z]+$/.test(name) ? pluralOf(name) : undefined);
  return meant === undefined ? 'write it as in tfjobs' : `write ${quoted(meant)}`;
}

/** Source: k8s.io/apimachinery pkg/api/meta/restmapper.go, UnsafeGuessKindToResource. */
function pluralOf(name: string): string {
  const kind = name.toLowerCase();
  if (kind.endsWith('s')) return kind;
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}

/** Finds a known kind's plural in another group; an entry that says where its pod templates are is a kind of its own. */
function wrongGroup({ group, resource, entry }: NamedResource): Wrong | undefined {
  if (pluralsOf(group).includes(resource) || ownValue(entry, 'podTemplates') !== undefined) return undefined;
  if (!GROUP.test(group)) return undefined; // said by the schema
  const known = KNOWN_KINDS.find((kind) => kind.resource === resource);
  if (known === undefined) return undefined;
  const text = `${quoted(group)} is not the group of ${resource}; did you mean ${quoted(known.group)}? If another kind has this name, write its podTemplates`;
  return { key: 'group', text };
}

/** Finds a name that a known group does not have; far from all that it has, it may be a kind of its own. */
function unknownInGroup({ group, resource, entry }: NamedResource): Wrong | undefined {
  const plurals = pluralsOf(group);
  if (plurals.includes(resource)) return undefined;
  const near = nearest(resource, plurals);
  const isOwnKind = near === undefined && ownValue(entry, 'podTemplates') !== undefined;
  const meant = near ?? leastFar(resource, knownPluralsOf(group));
  if (isOwnKind || meant === undefined) return undefined;
  const wayOut = near === undefined ? ' If its CRD has it, write its podTemplates' : '';
  const text = `${quoted(group)} has no ${quoted(resource)}; did you mean ${quoted(meant)}?${wayOut}`;
  return { key: 'resource', text };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
