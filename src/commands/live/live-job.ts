import { valueAt } from '../../core/path.ts';
import type { GuardedResource, Policy } from '../../core/policy.ts';
import { resourceName, singularOf } from '../../core/resource-name.ts';
import type { Cluster } from '../../kube/cluster.ts';
import { placeText, readObject, type ObjectPlace, type Rights } from '../../kube/live-object.ts';
import { compilePolicy } from '../../policy/compile.ts';
import { completePolicy } from '../../policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../policy/defaults.ts';
import { KNOWN_KINDS } from '../../policy/known-kinds.ts';
import { named, type Named } from '../manifests/named.ts';
import { UsageError } from '../usage-error.ts';

/** A job of a cluster, and where it is. */
export interface LiveJob {
  readonly place: ObjectPlace;
  readonly job: Named;
}

/** Returns a policy that guards every known kind: nobody outside of a cluster knows what its jobguard guards. */
export function policyOfKnownKinds(): Policy {
  const resources = KNOWN_KINDS.map(({ group, resource }) => ({ group, resource }));
  return compilePolicy(completePolicy({ ...DEFAULT_POLICY_DOCUMENT, resources }));
}

/**
 * Finds the job of `tfjob/mnist`, `tfjobs/mnist` or `tfjobs.kubeflow.org/mnist`; a kind that the policy does not guard
 * needs its group.
 *
 * @throws UsageError where the text names none
 * @throws ClusterError where it cannot be read
 */
export async function namedJob(
  target: string,
  namespace: string | undefined,
  { cluster, policy, rights }: { readonly cluster: Cluster; readonly policy: Policy; readonly rights: Rights },
): Promise<LiveJob> {
  const [, kind = '', name = ''] = /^([a-z][a-z0-9.-]*)\/([a-z0-9][a-z0-9.-]*)$/.exec(target) ?? [];
  if (name === '') throw new UsageError([`"${target}" is no RESOURCE/NAME such as tfjob/mnist`]);
  const { group, resource } = resourceNamed(kind, policy);
  const version = await preferredVersion(cluster, group, resource);
  const place = { group, version, resource, namespace: namespace ?? cluster.namespace, name };
  const job = await liveObject(cluster, place, rights);
  if (job === undefined) throw new UsageError([`the cluster has no ${placeText(place)}`]);
  return { place, job };
}

/** Reads an object as if it came from a file; undefined where there is none. Throws as `readObject` does. */
export async function liveObject(cluster: Cluster, place: ObjectPlace, rights: Rights): Promise<Named | undefined> {
  const object = await readObject(cluster, place, rights);
  const source = `${place.resource}/${place.name}`;
  return object === undefined ? undefined : named({ object, positionOf: () => ({ line: 1, column: 1 }) }, source);
}

function resourceNamed(name: string, { resources }: Policy): Pick<GuardedResource, 'group' | 'resource'> {
  const all = [...resources.values()];
  const namesOf = ({ group, resource }: GuardedResource): string[] => {
    const singular = singularOf(resource);
    return [resource, singular, resourceName(group, resource), resourceName(group, singular)];
  };
  const found = all.find((resource) => namesOf(resource).includes(name));
  if (found !== undefined) return found;
  const [, plural, group] = /^([^.]+)\.(.+)$/.exec(name) ?? [];
  if (plural !== undefined && group !== undefined) return { group, resource: plural };
  const known = all.map(({ group, resource }) => resourceName(group, resource)).join(', ');
  throw new UsageError([`"${name}" is none of ${known}, and names no group itself`]);
}

/** Asks for the version that the API server itself prefers of a group; every user may. */
async function preferredVersion(cluster: Cluster, group: string, resource: string): Promise<string> {
  const { body } = await cluster.request({ method: 'GET', path: `/apis/${group}` });
  const version = valueAt(body, ['preferredVersion', 'version']);
  if (typeof version === 'string') return version;
  throw new UsageError([`the cluster does not have ${resourceName(group, resource)}`]);
}
