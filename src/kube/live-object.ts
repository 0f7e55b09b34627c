import { ownValue, type JsonMap } from '../core/json.ts';
import { valueAt } from '../core/path.ts';
import { resourceName } from '../core/resource-name.ts';
import { ClusterError, type ApiAnswer, type Cluster } from './cluster.ts';
import { deniedBy, warnedBy, type ServedDenial } from './served-denial.ts';

/** Where a namespaced object is in the API. */
export interface ObjectPlace {
  readonly group: string;
  readonly version: string;
  /** The plural: `tfjobs`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a command does with objects, and what RBAC has to permit for that. */
export interface Rights {
  /** Of the role that would grant them. */
  readonly role: string;
  readonly verbs: readonly string[];
}

/** An update, as one of kubectl's commands sends it. */
export interface LiveUpdate {
  readonly method: 'PATCH' | 'PUT';
  readonly contentType: string;
  /** JSON. */
  readonly body: string;
  readonly fieldManager: string;
}

/** What would come out of an update, or why jobguard refuses it; in mode `warn` both. */
export interface DryRun {
  readonly object: JsonMap | undefined;
  readonly denial: ServedDenial | undefined;
}

/** Returns the path of the resource in a namespace: `/apis/kubeflow.org/v1/namespaces/team/tfjobs`. */
export function collectionPath({ group, version, resource, namespace }: Omit<ObjectPlace, 'name'>): string {
  return `/apis/${group}/${version}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

export function objectPath(place: ObjectPlace): string {
  return `${collectionPath(place)}/${encodeURIComponent(place.name)}`;
}

/** Names an object to people: `tfjobs.kubeflow.org "mnist" in namespace "team"`. */
export function placeText({ group, resource, namespace, name }: ObjectPlace): string {
  return `${resourceName(group, resource)} "${name}" in namespace "${namespace}"`;
}

/**
 * Reads an object; undefined where there is none of this name.
 *
 * @throws ClusterError where the cluster does not know the resource, or does not let this user read it
 */
export async function readObject(cluster: Cluster, place: ObjectPlace, rights: Rights): Promise<JsonMap | undefined> {
  const answer = await cluster.request({ method: 'GET', path: objectPath(place) });
  if (answer.status === 404 && isOfObject(answer)) return undefined;
  return objectOf(answer, place, rights);
}

/** Asks the API server what would come out of an update; nothing is stored. Throws as `readObject` does. */
export async function dryRun(
  cluster: Cluster,
  place: ObjectPlace,
  { fieldManager, ...update }: LiveUpdate,
  rights: Rights,
): Promise<DryRun> {
  const path = `${objectPath(place)}?dryRun=All&fieldManager=${encodeURIComponent(fieldManager)}`;
  const answer = await cluster.request({ ...update, path });
  const denial = answer.body === undefined ? undefined : deniedBy(answer.body);
  if (denial !== undefined) return { object: undefined, denial };
  return { object: objectOf(answer, place, rights), denial: warnedBy(answer.warnings) };
}

/**
 * Returns the object of an answer.
 *
 * @throws ClusterError saying why there is none
 */
export function objectOf(answer: ApiAnswer, place: ObjectPlace, rights: Rights): JsonMap {
  const { status, body } = answer;
  if (status >= 200 && status < 300 && body !== undefined) return body;
  throw new ClusterError(problemOf(answer, place, rights));
}

/** Tells whether it is an object that is not there, and not its whole resource: of that the API server names none. */
function isOfObject({ body }: ApiAnswer): boolean {
  return valueAt(body, ['details', 'name']) !== undefined;
}

function problemOf(answer: ApiAnswer, place: ObjectPlace, rights: Rights): string {
  const message = answer.body === undefined ? undefined : ownValue(answer.body, 'message');
  const { group, version, resource } = place;
  if (answer.status === 404) {
    return `the cluster does not have ${resourceName(group, resource)} in version ${version}`;
  }
  const text = typeof message === 'string' ? message : `status ${answer.status}`;
  return missingRight(text, place, rights) ?? `${placeText(place)}: the API server answers: ${text}`;
}

/** Source: k8s.io/apiserver pkg/endpoints/handlers/responsewriters/errors.go, forbiddenMessage. */
const FORBIDDEN = /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<what>[^"]+)"/;

/** Says which right a user does not have, and how to grant it. */
function missingRight(message: string, place: ObjectPlace, rights: Rights): string | undefined {
  const { user, verb, what } = FORBIDDEN.exec(message)?.groups ?? {};
  if (user === undefined || verb === undefined || what === undefined) return undefined;
  if (verb.startsWith('impersonate')) return `the user "${user}" may not act as somebody else`;
  if (what !== place.resource) return undefined;
  const { namespace } = place;
  const resource = resourceName(place.group, place.resource);
  return `the user "${user}" may not ${verb} ${resource} in namespace "${namespace}"; to grant it: ${grant(user, namespace, resource, rights)}`;
}

const SERVICE_ACCOUNT = /^system:serviceaccount:(?<account>[^:]+:[^:]+)$/;

function grant(user: string, namespace: string, resource: string, { role, verbs }: Rights): string {
  const account = SERVICE_ACCOUNT.exec(user)?.groups?.['account'];
  const subject = account === undefined ? `--user=${shellText(user)}` : `--serviceaccount=${account}`;
  return [
    `kubectl create role ${role} -n ${namespace} --verb=${verbs.join(',')} --resource=${resource}`,
    `kubectl create rolebinding ${role} -n ${namespace} --role=${role} ${subject}`,
  ].join(' && ');
}

/** Quotes what a shell would not take as it is. */
function shellText(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
