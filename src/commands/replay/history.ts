import type { AdmissionRequest } from '../../core/admission.ts';
import { decide, type Decision } from '../../core/decide.ts';
import { printablePointer } from '../../core/field-path.ts';
import { isMap, ownValue, type JsonMap, type JsonValue } from '../../core/json.ts';
import { type Path, valueAt } from '../../core/path.ts';
import { guardedResource, type GuardedResource, type Policy } from '../../core/policy.ts';
import { resourceName } from '../../core/resource-name.ts';
import type { JudgedUpdate, Outcome } from './outcome.ts';
import type { AuditEvent } from './recorded.ts';

/**
 * What becomes of a recorded request: a judged update, an update whose old object is not known, one that changed nothing
 * since it failed or was a dry run, or no update of what is guarded at all.
 */
export type Replayed = JudgedUpdate | 'unknown' | 'skipped' | 'unrelated';

/** The living jobs of a cluster, as far as its audit log has shown them. */
export interface History {
  /** Judges a request, the next one in the order of time, and remembers what was answered. */
  readonly replay: (event: AuditEvent) => Replayed;
}

const UPDATES = new Set(['update', 'patch']);

/** Creates a history that knows of no job. It holds one object for each job that is alive. */
export function createHistory(policy: Policy): History {
  const objects = createStore();

  /** A log of two API servers may have two answers in the wrong order. */
  const isOutdated = (object: JsonMap): boolean => versionOf(object) < (objects.version(uidOf(object)) ?? 0n);
  /** Remembers an object, unless a newer one is known; forgets it once it is gone. */
  const remember = (object: JsonMap, isDeletion: boolean): void => {
    const uid = uidOf(object);
    if (uid === '' || isOutdated(object)) return;
    if (isGone(object, isDeletion)) objects.delete(uid);
    else objects.set(uid, object);
  };
  const learn = (event: AuditEvent, resource: GuardedResource): void => {
    const { response } = event;
    if (response === undefined) return;
    if (event.subresource === 'scale') remember(scaled(objects.get(uidOf(response)), response, resource), false);
    else if (event.verb === 'deletecollection') for (const item of itemsOf(response)) remember(item, true);
    else if (event.verb === 'delete' && response['kind'] === 'Status') objects.delete(deletedUid(response));
    else remember(response, event.verb === 'delete');
  };
  const replayUpdate = (event: AuditEvent, resource: GuardedResource): Replayed => {
    const known = objects.get(uidOf(event.response));
    if (known === undefined || event.response === undefined) return 'unknown';
    if (event.subresource === 'scale') return judge(policy, event, scaleOf(known, resource), event.response);
    return isOutdated(event.response) ? 'unknown' : judge(policy, event, known, event.response);
  };

  return {
    replay: (event) => {
      const resource = guardedResource(policy, event.group, event.resource);
      if (resource === undefined) return 'unrelated';
      if (changedNothing(event)) return isUpdate(event) ? 'skipped' : 'unrelated';
      const replayed = isUpdate(event) ? replayUpdate(event, resource) : 'unrelated';
      learn(event, resource);
      return replayed;
    },
  };
}

/** Objects by their uid. */
interface Store {
  readonly get: (uid: string) => JsonMap | undefined;
  /** Of the object with that uid, as `versionOf` reads it; undefined where there is none. */
  readonly version: (uid: string) => bigint | undefined;
  readonly set: (uid: string, object: JsonMap) => void;
  readonly delete: (uid: string) => void;
}

/** Creates a store that keeps objects as JSON, which takes a fraction of the memory that their values do. */
function createStore(): Store {
  const stored = new Map<string, { readonly text: string; readonly version: bigint }>();
  return {
    get: (uid) => {
      const text = stored.get(uid)?.text;
      return text === undefined ? undefined : (JSON.parse(text) as JsonMap);
    },
    version: (uid) => stored.get(uid)?.version,
    set: (uid, object) => void stored.set(uid, { text: JSON.stringify(object), version: versionOf(object) }),
    delete: (uid) => void stored.delete(uid),
  };
}

/** Tells whether a request was a dry run, or failed. */
function changedNothing({ isDryRun, code }: AuditEvent): boolean {
  return isDryRun || code < 200 || code > 299;
}

/** Tells whether a request is of the kind that jobguard judges; a patch may also create an object (201). */
function isUpdate({ verb, subresource, code }: AuditEvent): boolean {
  return UPDATES.has(verb) && subresource !== 'status' && code !== CREATED;
}

const CREATED = 201;

const OUTCOMES: Readonly<Record<Decision['outcome'], Outcome>> = {
  out_of_scope: 'allowed',
  allow: 'allowed',
  exempt: 'exempt',
  deny: 'denied',
  unjudgeable: 'denied',
};

function judge(policy: Policy, event: AuditEvent, oldObject: JsonMap, object: JsonMap): JudgedUpdate {
  const { auditID, time, user, fieldManager, group, version, resource, subresource, namespace, name } = event;
  const request: AdmissionRequest = {
    uid: auditID,
    operation: 'UPDATE',
    resource: { group, version, resource },
    subResource: subresource,
    namespace,
    name,
    user,
    dryRun: false,
    fieldManager,
    object,
    oldObject,
  };
  const { decision } = decide(policy, request, time);
  const paths = decision.outcome === 'deny' ? decision.denied.map(({ path }) => printablePointer(path)) : [];
  const outcome = OUTCOMES[decision.outcome];
  return {
    time,
    user,
    fieldManager,
    resource: resourceName(group, resource),
    namespace,
    name,
    auditID,
    outcome,
    paths,
  };
}

/** Returns the Scale of a job, as far as it is judged. */
function scaleOf(job: JsonMap, { scaleReplicasPath }: GuardedResource): JsonMap {
  const replicas = scaleReplicasPath === undefined ? undefined : valueAt(job, scaleReplicasPath);
  return { spec: replicas === undefined ? {} : { replicas } };
}

/** Returns a job with the replicas of its new Scale; an empty map where the job is not known. */
function scaled(job: JsonMap | undefined, scale: JsonMap, { scaleReplicasPath: path }: GuardedResource): JsonMap {
  const replicas = valueAt(scale, ['spec', 'replicas']);
  if (job === undefined || replicas === undefined || path === undefined) return {};
  const resourceVersion = valueAt(scale, ['metadata', 'resourceVersion']) ?? '';
  const metadata = { ...mapOrEmpty(job['metadata']), resourceVersion };
  return { ...withValue(job, path, replicas), metadata };
}

function withValue(map: JsonMap, [key, ...rest]: Path, value: JsonValue): JsonMap {
  const name = String(key);
  const next = rest.length === 0 ? value : withValue(mapOrEmpty(ownValue(map, name)), rest, value);
  return { ...map, [name]: next };
}

function mapOrEmpty(value: JsonValue | undefined): JsonMap {
  return isMap(value) ? value : {};
}

/** Source: the API server answers a deletion with a Status that names the object (k8s.io/apiserver handlers/delete.go). */
function deletedUid(status: JsonMap): string {
  const uid = valueAt(status, ['details', 'uid']);
  return typeof uid === 'string' ? uid : '';
}

function itemsOf(list: JsonMap): JsonMap[] {
  const items = ownValue(list, 'items');
  return Array.isArray(items) ? items.filter(isMap) : [];
}

function uidOf(object: JsonMap | undefined): string {
  const uid = valueAt(object, ['metadata', 'uid']);
  return typeof uid === 'string' ? uid : '';
}

/** Kubernetes promises since 1.35 that these are numbers that grow. Source: KEP-5504. */
function versionOf(object: JsonMap): bigint {
  const version = valueAt(object, ['metadata', 'resourceVersion']);
  return typeof version === 'string' && /^\d+$/.test(version) ? BigInt(version) : 0n;
}

/** An object without finalizers is gone once it is deleted; one that has some, once the last of them is gone. */
function isGone(object: JsonMap, isDeletion: boolean): boolean {
  const finalizers = valueAt(object, ['metadata', 'finalizers']);
  const isTerminating = valueAt(object, ['metadata', 'deletionTimestamp']) !== undefined;
  return (isDeletion || isTerminating) && !(Array.isArray(finalizers) && finalizers.length > 0);
}
