import type { AdmissionRequest, User } from '../../core/admission.ts';
import { ownValue } from '../../core/json.ts';
import { valueAt } from '../../core/path.ts';
import { guardedResource, type Policy } from '../../core/policy.ts';
import { applied } from '../../kube/apply.ts';
import type { Cluster } from '../../kube/cluster.ts';
import { exactJsonText } from '../../kube/exact-text.ts';
import { dryRun, type LiveUpdate, type ObjectPlace, type Rights } from '../../kube/live-object.ts';
import { createMergePatch } from '../../kube/create-merge-patch.ts';
import type { ClusterFlags } from '../live/cluster-flags.ts';
import { inCluster } from '../live/in-cluster.ts';
import { liveObject, namedJob } from '../live/live-job.ts';
import { metadataOf, type Named } from '../manifests/named.ts';
import { readObjects, type Objects } from '../manifests/objects.ts';
import { patched } from '../manifests/patch.ts';
import { readPatch, type PatchFlags, type PatchOption } from '../manifests/patch-option.ts';
import type { InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import type { Inputs, Item } from './items.ts';
import { resourceOf, updateRequest, type UpdateFlags } from './update-request.ts';

export interface LiveFlags extends UpdateFlags, PatchFlags, ClusterFlags {
  readonly policy?: string;
}

/** What is asked, and of whom. */
interface Asking {
  readonly cluster: Cluster;
  readonly policy: Policy;
  readonly flags: LiveFlags;
  readonly rights: Rights;
}

/**
 * Reads the updates of objects in a cluster, and has its API server say, by a dry run, what would come out of each.
 *
 * @throws UsageError
 */
export async function readLive(
  files: readonly string[],
  flags: LiveFlags,
  policy: Policy,
  context: InputContext,
): Promise<Inputs> {
  const patch = await readPatch(flags, context);
  if (patch === undefined && files.length === 0)
    throw new UsageError(['--live: NEW, or RESOURCE/NAME and --patch, is required']);
  const rights = { role: 'jobguard-check', verbs: ['get', flags.replace === true ? 'update' : 'patch'] };
  return inCluster(flags, async (cluster) => {
    const asking = { cluster, policy, flags, rights };
    return patch === undefined ? readNew(await readAll(files, context), asking) : readPatched(files, patch, asking);
  });
}

async function readAll(files: readonly string[], context: InputContext): Promise<Objects> {
  const all: Objects[] = [];
  for (const file of files) all.push(await readObjects(file, context));
  return { isFolder: all.some(({ isFolder }) => isFolder), objects: all.flatMap(({ objects }) => objects) };
}

async function readPatched(files: readonly string[], patch: PatchOption, asking: Asking): Promise<Inputs> {
  const [target = '', ...others] = files;
  if (others.length > 0) throw new UsageError([`${patch.flag} patches one object: RESOURCE/NAME`]);
  const { place, job } = await namedJob(target, asking.flags.namespace, asking);
  const update = {
    method: 'PATCH',
    contentType: `application/${patch.type === 'json' ? 'json-patch' : 'merge-patch'}+json`,
    body: exactJsonText(asObject(patch.value)),
    fieldManager: 'kubectl-patch',
  } as const;
  const item = await itemOf(place, [job, patched(job, patch)], update, {
    ...asking,
    flags: { ...asking.flags, replace: true },
  });
  return { isSingle: true, items: [{ ...item, source: undefined }], created: [], deleted: [], notGuarded: 0 };
}

/** `patched` has found out that it is a map or a list. */
function asObject(value: PatchOption['value']): object {
  return typeof value === 'object' && value !== null ? value : {};
}

async function readNew({ isFolder, objects }: Objects, asking: Asking): Promise<Inputs> {
  const { policy, flags } = asking;
  const guarded = objects.filter(
    ({ group, kind }) =>
      flags.resource !== undefined || guardedResource(policy, group, `${kind.toLowerCase()}s`) !== undefined,
  );
  const items: Item[] = [];
  const created: Named[] = [];
  for (const after of guarded) {
    const item = await newItem(after, asking);
    if (item === undefined) created.push(after);
    else items.push(item);
  }
  const isSingle = !isFolder && objects.length === 1 && items.length === 1;
  return { isSingle, items, created, deleted: [], notGuarded: objects.length - guarded.length };
}

/** Returns what becomes of the object that a file names; undefined where the cluster has none of that name. */
async function newItem(after: Named, asking: Asking): Promise<Item | undefined> {
  const { cluster, policy, flags, rights } = asking;
  const { group, version, resource } = resourceOf(after, flags, policy);
  const namespace = after.namespace ?? flags.namespace ?? cluster.namespace;
  const place = { group, version, resource, namespace, name: after.name };
  const before = await liveObject(cluster, place, rights);
  if (before === undefined) return undefined;
  const update = flags.replace === true ? replacement(before, after) : application(before, after);
  return itemOf(place, [before, after], update, asking);
}

/** As `kubectl replace` sends it: with the version that it has just read, unless the file names one. */
function replacement(before: Named, after: Named): LiveUpdate {
  const resourceVersion = ownValue(metadataOf(before.object), 'resourceVersion') ?? '';
  const metadata = { resourceVersion, ...metadataOf(after.object) };
  const body = exactJsonText({ ...after.object, metadata });
  return { method: 'PUT', contentType: 'application/json', body, fieldManager: 'kubectl-replace' };
}

/** As `kubectl apply` sends it, but for the annotation in which it keeps the manifest. */
function application(before: Named, after: Named): LiveUpdate {
  const body = exactJsonText(createMergePatch(before.object, applied(before.object, after.object)));
  return {
    method: 'PATCH',
    contentType: 'application/merge-patch+json',
    body,
    fieldManager: 'kubectl-client-side-apply',
  };
}

async function itemOf(
  place: ObjectPlace,
  [before, after]: readonly [Named, Named],
  update: LiveUpdate,
  { cluster, policy, flags, rights }: Asking,
): Promise<Item> {
  const local = updateRequest(before, after, flags, policy);
  const { fieldManager = update.fieldManager } = flags;
  const { object = local.object, denial } = await dryRun(cluster, place, { ...update, fieldManager }, rights);
  const request = { ...local, fieldManager, oldObject: before.object, object };
  // A policy of the command line is a candidate: it is asked here, as if it were in force there.
  return flags.policy === undefined
    ? { request, source: after, answer: { denial } }
    : { request: { ...request, user: await userOf(cluster, local) }, source: after };
}

/** Asks who is asking, groups included; an API server before 1.28 cannot say. */
async function userOf(cluster: Cluster, { user }: AdmissionRequest): Promise<User> {
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const answer = await cluster.request({ method: 'POST', path, body });
  const username = valueAt(answer.body, ['status', 'userInfo', 'username']);
  const groups = valueAt(answer.body, ['status', 'userInfo', 'groups']);
  if (typeof username !== 'string') return user;
  return { username, groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [] };
}
