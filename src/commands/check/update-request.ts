import type { AdmissionRequest, User } from '../../core/admission.ts';
import { isMap, ownValue, type JsonMap, type JsonValue } from '../../core/json.ts';
import type { Policy } from '../../core/policy.ts';
import { resourceName } from '../../core/resource-name.ts';
import { UsageError } from '../usage-error.ts';

/** What the command line says of an update, beside its two objects. */
export interface UpdateFlags {
  readonly as?: string;
  readonly asGroup?: readonly string[];
  readonly namespace?: string;
  readonly subresource?: 'scale';
  /** `pytorchjobs.kubeflow.org`, or `pytorchjobs`. */
  readonly resource?: string;
}

/** An object, and where it comes from. */
export interface Source {
  /** As its reader knows it: `stdin`. */
  readonly file: string;
  readonly object: JsonMap;
}

/** A Kubernetes object, and what names it. */
interface Named extends Source {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  /** undefined where the file names none. */
  readonly namespace: string | undefined;
}

/**
 * Makes the request that an API server would send for the update of one object to another.
 *
 * @throws UsageError naming what keeps the files from being the update of one object
 */
export function updateRequest(
  oldSource: Source,
  newSource: Source,
  flags: UpdateFlags,
  policy: Policy,
): AdmissionRequest {
  const before = named(oldSource);
  const after = named(newSource);
  const problems = differences(before, after);
  if (problems.length > 0) throw new UsageError(problems);

  const namespace = namespaceOf(before, after, flags);
  return {
    uid: '',
    operation: 'UPDATE',
    resource: resourceOf(before, flags, policy),
    subResource: flags.subresource ?? '',
    namespace,
    name: before.name,
    user: userOf(flags),
    dryRun: false,
    fieldManager: '',
    oldObject: inNamespace(before.object, namespace),
    object: inNamespace(withStatusOf(before.object, after.object), namespace),
  };
}

function named(source: Source): Named {
  const { file, object } = source;
  const metadata = metadataOf(object);
  const [apiVersion, kind, name] = [textAt(object, 'apiVersion'), textAt(object, 'kind'), textAt(metadata, 'name')];
  const missing = Object.entries({ apiVersion, kind, 'metadata.name': name })
    .filter(([, value]) => value === undefined)
    .map(([field]) => `${file}: has no ${field}`);
  if (apiVersion === undefined || kind === undefined || name === undefined) throw new UsageError(missing);
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { ...source, group, version, kind, name, namespace: textAt(metadata, 'namespace') };
}

/** The API server converts to one version before it asks; here nobody does. */
function differences(before: Named, after: Named): string[] {
  const rows: [string, string, string][] = [
    ['apiVersion', apiVersionOf(before), apiVersionOf(after)],
    ['kind', before.kind, after.kind],
    ['metadata.name', before.name, after.name],
    ['metadata.namespace', before.namespace ?? '', after.namespace ?? before.namespace ?? ''],
  ];
  return rows
    .filter(([, left, right]) => left !== right && left !== '')
    .map(([field, left, right]) => `${after.file}: ${field} is "${right}", but "${left}" in ${before.file}`);
}

function apiVersionOf({ group, version }: Named): string {
  return group === '' ? version : `${group}/${version}`;
}

function namespaceOf(before: Named, after: Named, flags: UpdateFlags): string {
  const named = before.namespace ?? after.namespace;
  if (named !== undefined && flags.namespace !== undefined && named !== flags.namespace) {
    throw new UsageError([`--namespace: is "${flags.namespace}", but "${named}" in the files`]);
  }
  return named ?? flags.namespace ?? 'default';
}

function resourceOf(
  { file, kind, group, version }: Named,
  { subresource, resource }: UpdateFlags,
  policy: Policy,
): AdmissionRequest['resource'] {
  const isScale = group === 'autoscaling' && kind === 'Scale';
  if (isScale && subresource !== 'scale') {
    throw new UsageError([
      `${file}: contains a Scale; add --subresource scale and --resource, one of ${guardedNames(policy)}`,
    ]);
  }
  if (!isScale && subresource === 'scale') {
    throw new UsageError([`--subresource: expects an autoscaling/v1 Scale, but ${file} contains a ${kind}`]);
  }
  if (resource !== undefined) return namedResource(resource, version, policy);
  if (isScale) throw new UsageError([`--resource: required for a Scale: one of ${guardedNames(policy)}`]);
  return { group, version, resource: `${kind.toLowerCase()}s` };
}

/** Finds the guarded resource of a name: `pytorchjobs.kubeflow.org`, or `pytorchjobs` where one group alone has it. */
function namedResource(name: string, version: string, policy: Policy): AdmissionRequest['resource'] {
  const { resources } = policy;
  const exact = resources.get(name);
  const found = exact === undefined ? [...resources.values()].filter(({ resource }) => resource === name) : [exact];
  const [only, ...others] = found;
  if (only === undefined) {
    throw new UsageError([`--resource: the policy does not guard "${name}", only ${guardedNames(policy)}`]);
  }
  if (others.length > 0) {
    const names = found.map(({ group, resource }) => resourceName(group, resource)).join(', ');
    throw new UsageError([`--resource: "${name}" is ambiguous: one of ${names}`]);
  }
  return { group: only.group, version, resource: only.resource };
}

function guardedNames(policy: Policy): string {
  return [...policy.resources.keys()].join(', ');
}

const SERVICE_ACCOUNT = /^system:serviceaccount:(?<namespace>[^:]+):[^:]+$/;

/** Source: k8s.io/apiserver pkg/endpoints/filters/impersonation.go, which is what `kubectl --as` gets. */
function userOf({ as: username = '', asGroup = [] }: UpdateFlags): User {
  const namespace = SERVICE_ACCOUNT.exec(username)?.groups?.['namespace'];
  const groups =
    namespace !== undefined && asGroup.length === 0
      ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
      : asGroup;
  const everybody = username === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  return { username, groups: [...groups, everybody] };
}

/** Kubernetes' kinds have a status that only `/status` changes: any other update keeps it, whatever it says. */
function withStatusOf(stored: JsonMap, object: JsonMap): JsonMap {
  const status = ownValue(stored, 'status');
  const others = Object.entries(object).filter(([key]) => key !== 'status');
  return Object.fromEntries(status === undefined ? others : [...others, ['status', status]]);
}

/** A request's path names the namespace, and the API server fills it in. */
function inNamespace(object: JsonMap, namespace: string): JsonMap {
  return { ...object, metadata: { ...metadataOf(object), namespace } };
}

function metadataOf(object: JsonMap): JsonMap {
  const metadata: JsonValue | undefined = ownValue(object, 'metadata');
  return isMap(metadata) ? metadata : {};
}

function textAt(map: JsonMap, key: string): string | undefined {
  const value = ownValue(map, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
