import { createInterface } from 'node:readline/promises';

import { ownValue } from '../../core/json.ts';
import type { Cluster } from '../../kube/cluster.ts';
import { exactJsonText } from '../../kube/exact-text.ts';
import {
  collectionPath,
  objectOf,
  objectPath,
  placeText,
  readObject,
  type ObjectPlace,
  type Rights,
} from '../../kube/live-object.ts';
import { parseDuration } from '../../server/duration.ts';
import { inCluster } from '../live/in-cluster.ts';
import { namedJob, policyOfKnownKinds, type LiveJob } from '../live/live-job.ts';
import { metadataOf, objectsOf } from '../manifests/named.ts';
import { requireOneStdin } from '../manifests/one-stdin.ts';
import { readPatch } from '../manifests/patch-option.ts';
import { UsageError } from '../usage-error.ts';
import type { RerunContext, RerunFlags } from './flags.ts';
import { newManifest } from './new-manifest.ts';
import { checkName, nextName } from './new-name.ts';
import { waitForJob } from './wait.ts';
import { newName, wantedAgain, wantedByFile, wantedByPatch, type Wanted } from './wanted.ts';

/** The new job of a live one. */
interface NewJob {
  /** What says where it is; its name is that of the manifest, or a prefix where the API server makes one. */
  readonly place: ObjectPlace;
  readonly manifest: string;
}

/** Who is asked, and what for. */
interface Asking {
  readonly cluster: Cluster;
  readonly rights: Rights;
}

/**
 * Makes a new job of one in a cluster: prints its manifest, or creates it.
 *
 * @throws UsageError
 */
export async function rerunLive(target: string, flags: RerunFlags, context: RerunContext): Promise<void> {
  const timeoutMs = parseDuration(flags.timeout);
  if (timeoutMs === undefined)
    throw new UsageError([`--timeout: "${flags.timeout}" is no duration such as 90s or 10m`]);
  requireOneStdin({ '--file': flags.file, '--patch-file': flags.patchFile });
  await inCluster(flags, async (cluster) => {
    const asking = { cluster, rights: rightsFor(flags) };
    const old = await namedJob(target, flags.namespace, { ...asking, policy: policyOfKnownKinds() });
    const job = await newJobOf(old, await wantedOf(old, flags, context), flags.name, asking);
    if (flags.create !== true) {
      context.stderr.write(`${planOf(job, old, flags).join('\n')}\nNothing is sent without --create.\n`);
      context.stdout.write(job.manifest);
      return;
    }
    if (!(await isAgreedTo(planOf(job, old, flags), flags, context))) return;
    const place = await create(job, asking);
    context.stdout.write(`${placeText(place)} created\n`);
    if (flags.deleteOld === true) {
      await deleteOld(old, asking);
      context.stdout.write(`${placeText(old.place)} deleted\n`);
    }
    if (flags.wait === true) await wait(place, asking, timeoutMs, context);
  });
}

function rightsFor({ create = false, deleteOld: deletes = false }: RerunFlags): Rights {
  return { role: 'jobguard-rerun', verbs: ['get', ...(create ? ['create'] : []), ...(deletes ? ['delete'] : [])] };
}

async function wantedOf({ place, job }: LiveJob, flags: RerunFlags, context: RerunContext): Promise<Wanted> {
  const patch = await readPatch(flags, context);
  if (patch !== undefined && flags.file !== undefined) throw new UsageError([`--file: not allowed with ${patch.flag}`]);
  if (patch !== undefined) return wantedByPatch(job, patch);
  if (flags.file === undefined) return wantedAgain(job);
  const wanted = await wantedByFile(job, flags.file, context);
  const { namespace = place.namespace, file } = wanted.wanted;
  if (namespace === place.namespace) return wanted;
  throw new UsageError([`${file}: metadata.namespace is "${namespace}", but "${place.namespace}" in ${job.file}`]);
}

async function newJobOf(
  { place }: LiveJob,
  wanted: Wanted,
  given: string | undefined,
  asking: Asking,
): Promise<NewJob> {
  const name = await freeName(newName(wanted, given), given, { place, wanted, asking });
  if (name !== undefined) checkName(name, wanted.wanted.object);
  const manifest = newManifest(wanted.wanted, wanted.text, { name, of: wanted.old.name });
  return { place: { ...place, name: name ?? `${generatedPrefix(wanted)}…` }, manifest };
}

function generatedPrefix({ wanted }: Wanted): string {
  const prefix = ownValue(metadataOf(wanted.object), 'generateName');
  return typeof prefix === 'string' ? prefix : '';
}

/** More than anybody runs one job. */
const MAX_NUMBERS = 1000;

/** Returns a name, or the next one that is free where nobody has chosen it. */
async function freeName(
  first: string | undefined,
  given: string | undefined,
  { place, wanted, asking }: { readonly place: ObjectPlace; readonly wanted: Wanted; readonly asking: Asking },
): Promise<string | undefined> {
  if (first === undefined || given !== undefined || wanted.wanted.name !== wanted.old.name) return first;
  let name = first;
  for (let count = 0; count < MAX_NUMBERS; count += 1) {
    const taken = await readObject(asking.cluster, { ...place, name }, asking.rights);
    if (taken === undefined) return name;
    name = nextName(name, wanted.wanted.object);
  }
  throw new UsageError([`every name up to "${name}" is taken; --name sets another`]);
}

/** Says what is sent with `--create`, a line a request. */
function planOf({ place }: NewJob, old: LiveJob, { deleteOld: deletes = false }: RerunFlags): string[] {
  return [
    `creates ${placeText(place)}`,
    ...(deletes ? [`deletes ${placeText(old.place)} once the new one is there`] : []),
  ];
}

async function isAgreedTo(
  plan: readonly string[],
  { yes = false }: RerunFlags,
  context: RerunContext,
): Promise<boolean> {
  context.stderr.write(`${plan.join('\n')}\n`);
  if (yes) return true;
  if (!context.isInteractive) throw new UsageError(['--yes: required where nobody can answer']);
  const terminal = createInterface({ input: context.stdin, output: context.stderr });
  const answer = await terminal.question('Go on? [y/N] ');
  terminal.close();
  if (/^y(?:es)?$/i.test(answer.trim())) return true;
  context.stderr.write('Nothing was sent.\n');
  context.exitWith(2);
  return false;
}

/** Sends what would have been printed. */
async function create({ place, manifest }: NewJob, { cluster, rights }: Asking): Promise<ObjectPlace> {
  const [job] = objectsOf(manifest, 'the new job');
  const body = exactJsonText(job?.object ?? {});
  const path = `${collectionPath(place)}?fieldManager=jobguard-rerun`;
  const created = objectOf(await cluster.request({ method: 'POST', path, body }), place, rights);
  const name = ownValue(metadataOf(created), 'name');
  return { ...place, name: typeof name === 'string' ? name : place.name };
}

async function deleteOld({ place, job }: LiveJob, { cluster, rights }: Asking): Promise<void> {
  const uid = ownValue(metadataOf(job.object), 'uid');
  const body = exactJsonText({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    // Another job of this name is not meant.
    preconditions: { uid: typeof uid === 'string' ? uid : '' },
    propagationPolicy: 'Background',
  });
  objectOf(await cluster.request({ method: 'DELETE', path: objectPath(place), body }), place, rights);
}

async function wait(
  place: ObjectPlace,
  { cluster, rights }: Asking,
  timeoutMs: number,
  context: RerunContext,
): Promise<void> {
  const end = await waitForJob(() => readObject(cluster, place, rights), {
    timeoutMs,
    onState: (state) => void context.stdout.write(`${place.name}: ${state}\n`),
  });
  if (end === 'runs') return;
  if (end === 'late') context.stderr.write(`error: ${placeText(place)} does not run yet; --timeout is over\n`);
  context.exitWith(2);
}
