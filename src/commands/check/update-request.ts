import type { AdmissionRequest, User } from '../../core/admission.ts';
import { ownValue, type JsonMap } from '../../core/json.ts';
import type { Policy } from '../../core/policy.ts';
import { resourceName } from '../../core/resource-name.ts';
import { applied } from '../../kube/apply.ts';
import { withDefaults } from '../../kube/defaults.ts';
import { UsageError } from '../usage-error.ts';
import { metadataOf, type Named } from '../manifests/named.ts';

/** What the command line says of an update, beside its two objects. */
export interface UpdateFlags {
  readonly as?: string;
  readonly asGroup?: readonly string[];
  /** What the writer calls itself, such as `kubectl-edit`. */
  readonly fieldManager?: string;
  readonly namespace?: string;
  /** Whether the new object is sent whole; otherwise `kubectl apply` makes it of both. */
  readonly replace?: boolean;
  readonly subresource?: 'scale';
  /** `pytorchjobs.kubeflow.org`, or `pytorchjobs`. */
  readonly resource?: string;
}

/**
 * Makes the request that an API server would send for the update of one object to another.
 *
 * @throws UsageError naming what keeps the files from being the update of one object
 */
export function updateRequest(before: Named, after: Named, flags: UpdateFlags, policy: Policy): AdmissionRequest {
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
    fieldManager: flags.fieldManager ?? '',
    oldObject: storedObject(before.object, before, namespace),
    object: storedObject(withStatusOf(before.object, sentObject(before, after, flags)), before, namespace),
  };
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

/**
 * Finds the resource of an object, by its kind or by `--resource`.
 *
 * @throws UsageError where the flags do not fit the object
 */
export function resourceOf(
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

/** A Scale is not applied, and neither is what replaces the whole object. */
function sentObject(before: Named, after: Named, { replace = false, subresource }: UpdateFlags): JsonMap {
  return replace || subresource === 'scale' ? after.object : applied(before.object, after.object);
}

/** Kubernetes' kinds have a status that only `/status` changes: any other update keeps it, whatever it says. */
function withStatusOf(stored: JsonMap, object: JsonMap): JsonMap {
  const status = ownValue(stored, 'status');
  const others = Object.entries(object).filter(([key]) => key !== 'status');
  return Object.fromEntries(status === undefined ? others : [...others, ['status', status]]);
}

/** A request's path names the namespace, and the API server fills it in, as it does a CRD's defaults. */
function storedObject(object: JsonMap, { group }: Named, namespace: string): JsonMap {
  return { ...withDefaults(object, group), metadata: { ...metadataOf(object), namespace } };
}
