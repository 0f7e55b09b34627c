import { GO_ROOTS, GO_TYPES } from '../../src/core/go-types.ts';
import { NumberText, type Tree, valueAt } from '../support/json-tree.ts';

/**
 * A second judge, written from the contract alone: slow, recursive, and plain enough to be believed. It writes both
 * objects in a canonical form, in which what is no change is no difference, and compares those.
 * It shares nothing with the core but the table of Go types.
 */

/** What the naive judge goes by: the policy with its presets written out as exemptions. */
export interface NaivePolicy {
  readonly resources: readonly NaiveResource[];
  readonly allow: readonly string[];
  readonly suspendedJobs: boolean;
  readonly exemptions: readonly NaiveExemption[];
}

export interface NaiveResource {
  readonly group: string;
  readonly resource: string;
  readonly podTemplates: readonly string[];
  readonly scaleReplicasPath?: string;
  readonly allow?: readonly string[];
}

export interface NaiveExemption {
  readonly name: string;
  readonly usernames?: readonly string[];
  readonly groups?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly paths: readonly string[];
  /** Paths below each of the resource's pod templates, such as `/spec/tolerations`. */
  readonly templatePaths?: readonly string[];
  /** Whether they may also change what the resource's `/scale` changes. */
  readonly scales?: boolean;
}

export type Outcome = 'allow' | 'exempt' | 'deny' | 'out_of_scope' | 'unjudgeable';

export interface NaiveChange {
  readonly op: 'add' | 'remove' | 'replace';
  readonly pointer: string;
}

/** The denied changes are in order of their paths, and none unless the outcome is deny. */
export interface Judgement {
  readonly outcome: Outcome;
  readonly denied: readonly NaiveChange[];
}

type Path = readonly (string | number)[];

/** A scalar is a text that is the same for what is the same. */
type Canonical = string | Canonical[] | Map<string, Canonical>;

/** A Go map, whose entries are data; any other map holds fields. */
class Entries extends Map<string, Canonical> {}

/** Lists the differences that none of the allowed patterns covers. */
type Comparer = (allowed: readonly string[][]) => Difference[];

interface Difference {
  readonly op: NaiveChange['op'];
  readonly path: Path;
}

const SERVER_OWNED = [
  'managedFields',
  'generation',
  'resourceVersion',
  'selfLink',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

const WHILE_TERMINATING = ['/metadata/finalizers', '/metadata/ownerReferences'];

/** Judges the `request` of an AdmissionReview. */
export function naiveJudge(policy: NaivePolicy, review: Tree): Judgement {
  const request = valueAt(review, 'request');
  const resource = guardedResource(policy, request);
  if (!resource) return { outcome: 'out_of_scope', denied: [] };
  const compareJobs = comparer(resource, request);
  if (!compareJobs) return { outcome: 'unjudgeable', denied: [] };
  const forEverybody = [...policy.allow, ...(resource.allow ?? []), ...lifecyclePaths(policy, request)];
  if (compareJobs(forEverybody.map(toPattern)).length === 0) return { outcome: 'allow', denied: [] };
  const forThisWriter = matchingExemptions(policy, request).flatMap(({ paths, templatePaths = [], scales }) => [
    ...paths,
    ...(scales === true && resource.scaleReplicasPath !== undefined ? [resource.scaleReplicasPath] : []),
    ...resource.podTemplates.flatMap((template) => templatePaths.map((path) => template + path)),
  ]);
  const denied = compareJobs([...forEverybody, ...forThisWriter].map(toPattern));
  if (denied.length === 0) return { outcome: 'exempt', denied: [] };
  return { outcome: 'deny', denied: denied.map(({ op, path }) => ({ op, pointer: toPointer(path) })) };
}

/** Returns the resource that the request is about, if its update is in scope (§1). */
function guardedResource(policy: NaivePolicy, request: Tree | undefined): NaiveResource | undefined {
  if (valueAt(request, 'operation') !== 'UPDATE' || valueAt(request, 'subResource') === 'status') return undefined;
  return policy.resources.find(
    ({ group, resource }) =>
      group === valueAt(request, 'resource', 'group') && resource === valueAt(request, 'resource', 'resource'),
  );
}

/** Returns what compares the two objects of the request, undefined where they cannot be judged (§7, §10). */
function comparer(resource: NaiveResource, request: Tree | undefined): Comparer | undefined {
  const before = valueAt(request, 'oldObject');
  const after = valueAt(request, 'object');
  if (!(before instanceof Map) || !(after instanceof Map)) return undefined;
  const subresource = valueAt(request, 'subResource') ?? '';
  if (subresource === '') return jobComparer(before, after, resource);
  const { scaleReplicasPath: path } = resource;
  if (subresource !== 'scale' || path === undefined) return undefined;
  return (allowed) => scaleDifferences(before, after, toPattern(path), allowed);
}

/** The paths that the stored job opens by its own state (§5, §6). */
function lifecyclePaths(policy: NaivePolicy, request: Tree | undefined): string[] {
  const isTerminating = typeof valueAt(request, 'oldObject', 'metadata', 'deletionTimestamp') === 'string';
  const isSuspended = valueAt(request, 'oldObject', 'spec', 'runPolicy', 'suspend') === true;
  return [...(isTerminating ? WHILE_TERMINATING : []), ...(policy.suspendedJobs && isSuspended ? ['/spec/*'] : [])];
}

function matchingExemptions(policy: NaivePolicy, request: Tree | undefined): readonly NaiveExemption[] {
  const groups = valueAt(request, 'userInfo', 'groups');
  return policy.exemptions.filter(
    (exemption) =>
      isOneOf(exemption.namespaces ?? ['*'], valueAt(request, 'namespace')) &&
      (isOneOf(exemption.usernames ?? [], valueAt(request, 'userInfo', 'username')) ||
        (Array.isArray(groups) && groups.some((group) => isOneOf(exemption.groups ?? [], group)))),
  );
}

function isOneOf(globs: readonly string[], name: Tree | undefined): boolean {
  return globs.some((glob) => matchesGlob(glob, typeof name === 'string' ? name : ''));
}

function matchesGlob(glob: string, name: string): boolean {
  if (glob === '') return name === '';
  const skipsOne = name !== '' && (glob.startsWith('*') || glob[0] === name[0]);
  if (!glob.startsWith('*')) return skipsOne && matchesGlob(glob.slice(1), name.slice(1));
  return matchesGlob(glob.slice(1), name) || (skipsOne && matchesGlob(glob, name.slice(1)));
}

// Differences (§4)

function scaleDifferences(before: Tree, after: Tree, path: Path, allowed: readonly string[][]): Difference[] {
  const replicas = (scale: Tree): Canonical =>
    canonical(valueAt(scale, 'spec', 'replicas') ?? new NumberText('0'), {
      type: 'number',
      root: undefined,
      path,
      podTemplates: [],
    });
  if (replicas(before) === replicas(after) || allowed.some((pattern) => covers(pattern, path))) return [];
  return [{ op: 'replace', path }];
}

function jobComparer(before: Map<string, Tree>, after: Map<string, Tree>, resource: NaiveResource): Comparer {
  const root = GO_ROOTS[`${resource.resource}.${resource.group}`];
  const podTemplates = resource.podTemplates.map(toPattern);
  const [old, updated] = [before, after].map((job) =>
    canonical(withoutServerOwned(job), { type: root, root, path: [], podTemplates }),
  );
  return (allowed) => compare({ before: old, after: updated, path: [], isEntry: false }, allowed).sort(byPath);
}

/** What stands at one path on both sides, undefined where there is nothing. */
interface Compared {
  readonly before: Canonical | undefined;
  readonly after: Canonical | undefined;
  readonly path: Path;
  /** Whether it is an entry of a Go map or an element of a list, and not a field. */
  readonly isEntry: boolean;
}

function compare(compared: Compared, allowed: readonly string[][]): Difference[] {
  const { before, after, path } = compared;
  if (before === after || allowed.some((pattern) => covers(pattern, path))) return [];
  const allowedBelow = allowed.filter((pattern) => isBelow(pattern, path) && reachesInto(pattern, compared));
  if (!mayDescend(before, after, allowedBelow)) return [{ op: operation(before, after), path }];
  const segments = [...new Set([...segmentsOf(before), ...segmentsOf(after)])];
  const isEntry = [before, after].some((value) => Array.isArray(value) || value instanceof Entries);
  return segments.flatMap((segment) => {
    const child = { before: childOf(before, segment), after: childOf(after, segment), isEntry };
    return compare({ ...child, path: [...path, segment] }, allowedBelow);
  });
}

/** A path grants nothing in an entry that comes or goes, nor in what comes or goes where its own `*` stands. */
function reachesInto(pattern: readonly string[], { before, after, path, isEntry }: Compared): boolean {
  if (before !== undefined && after !== undefined) return true;
  return !isEntry && pattern[path.length - 1] !== '*';
}

/** An added or removed container is taken apart only where something below it is allowed, and if it has a below. */
function mayDescend(
  before: Canonical | undefined,
  after: Canonical | undefined,
  allowedBelow: readonly string[][],
): boolean {
  if (before !== undefined && after !== undefined) {
    return kindOf(before) === kindOf(after) && kindOf(before) !== 'scalar';
  }
  return segmentsOf(before ?? after).length > 0 && allowedBelow.length > 0;
}

function operation(before: Canonical | undefined, after: Canonical | undefined): NaiveChange['op'] {
  if (before === undefined) return 'add';
  return after === undefined ? 'remove' : 'replace';
}

function kindOf(value: Canonical | undefined): string {
  if (Array.isArray(value)) return 'list';
  return value instanceof Map ? 'map' : 'scalar';
}

function segmentsOf(value: Canonical | undefined): (string | number)[] {
  return Array.isArray(value) || value instanceof Map ? [...value.keys()] : [];
}

function childOf(value: Canonical | undefined, segment: string | number): Canonical | undefined {
  if (Array.isArray(value)) return value[Number(segment)];
  return value instanceof Map ? value.get(String(segment)) : undefined;
}

function byPath({ path: left }: Difference, { path: right }: Difference): number {
  const at = left.findIndex((segment, index) => segment !== right[index]);
  const [a, b] = [left[at], right[at]];
  if (a === undefined || b === undefined) return left.length - right.length;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : 1;
}

// Paths (§4, RFC 6901)

function toPattern(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function toPointer(path: Path): string {
  return path.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function matches(pattern: string | undefined, segment: string | number | undefined): boolean {
  return pattern === '*' || pattern === String(segment);
}

function covers(pattern: readonly string[], path: Path): boolean {
  return pattern.length <= path.length && pattern.every((segment, index) => matches(segment, path[index]));
}

function isBelow(pattern: readonly string[], path: Path): boolean {
  return pattern.length > path.length && path.every((segment, index) => matches(pattern[index], segment));
}

// The canonical form (§3)

/** Where a value stands: the Go type of the place, undefined where the Go types do not know it. */
interface Place {
  readonly type: string | undefined;
  /** The Go type of the whole object. */
  readonly root: string | undefined;
  readonly path: Path;
  readonly podTemplates: readonly string[][];
}

function withoutServerOwned(job: Map<string, Tree>): Map<string, Tree> {
  const metadata = job.get('metadata');
  if (!(metadata instanceof Map)) return job;
  return new Map(job).set('metadata', new Map([...metadata].filter(([key]) => !SERVER_OWNED.includes(key))));
}

function canonical(value: Tree, place: Place): Canonical {
  const type = place.type?.replace(/^\*/, '').replace(/,omitempty$/, '');
  if (Array.isArray(value)) {
    const item = type?.startsWith('[]') === true ? type.slice('[]'.length) : undefined;
    const below = inside(place, type === undefined || item !== undefined);
    return value.map((element, index) => {
      const path = [...place.path, index];
      return canonical(element, { ...below, type: item ?? podTemplateType(path, below), path });
    });
  }
  if (value instanceof Map) return canonicalMap(value, type, inside(place, type?.startsWith('[]') !== true));
  return scalar(value, type);
}

/** Nothing is known of a list that stands in place of a map, nor of a map in place of a list: no template lies below. */
function inside(place: Place, hasItsShape: boolean): Place {
  return hasItsShape ? place : { ...place, podTemplates: [] };
}

/** Leaves out the fields that equal absent. The entries of a Go map are data, of which none does. */
function canonicalMap(map: Map<string, Tree>, type: string | undefined, place: Place): Canonical {
  if (type?.startsWith('map[string]') === true) {
    const entry = type.slice('map[string]'.length);
    return new Entries(
      Array.from(map, ([key, value]) => [key, canonical(value, { ...place, type: entry, path: [...place.path, key] })]),
    );
  }
  const result = new Map<string, Canonical>();
  for (const [key, value] of map) {
    const path = [...place.path, key];
    const field = fieldType(type, key) ?? podTemplateType(path, place);
    const childPlace = { ...place, type: field, path };
    const child = canonical(value, childPlace);
    if (child !== 'null' && !isEmptyList(child, childPlace) && !isZeroField(child, path, field)) result.set(key, child);
  }
  return result;
}

function fieldType(struct: string | undefined, key: string): string | undefined {
  const fields = struct !== undefined && Object.hasOwn(GO_TYPES, struct) ? GO_TYPES[struct] : undefined;
  return fields && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** The table holds *below* a pod template's place, which is itself data: it is absent only where it is null. */
function podTemplateType(path: Path, { podTemplates }: Place): string | undefined {
  const isPodTemplate = podTemplates.some((pattern) => pattern.length === path.length && covers(pattern, path));
  return isPodTemplate ? '*core/v1.PodTemplateSpec' : undefined;
}

/** An empty list equals absent where a list belongs, or where nobody knows what does. */
function isEmptyList(value: Canonical, { path, type, root }: Place): boolean {
  const takesList = type === undefined || type.startsWith('[]');
  return takesList && Array.isArray(value) && value.length === 0 && !countsWhenEmpty(path, root);
}

/** An empty list there makes the operator create an autoscaler, or panic; another kind's knows nothing of either. */
function countsWhenEmpty(path: Path, root: string | undefined): boolean {
  return (
    root?.startsWith('kubeflow.org/') === true &&
    ['/spec/elasticPolicy/metrics', '/spec/elasticPolicy/rdzvConf'].includes(toPointer(path))
  );
}

const ZEROS: Readonly<Record<string, string>> = {
  bool: 'false',
  string: '""',
  number: 'number 0',
  quantity: 'quantity 0',
  intOrString: 'number 0',
};

function isZeroField(value: Canonical, path: Path, type: string | undefined): boolean {
  if (type === undefined) return false;
  if (type.startsWith('*')) return toPointer(path) === '/spec/runPolicy/suspend' && value === 'false';
  if (value instanceof Map) return value.size === 0 && (Object.hasOwn(GO_TYPES, type) || type.endsWith(',omitempty'));
  return value === ZEROS[type];
}

// Scalars (§3)

function scalar(value: Exclude<Tree, Tree[] | Map<string, Tree>>, type: string | undefined): string {
  if (type === 'quantity' && (value instanceof NumberText || typeof value === 'string')) return quantity(value);
  if (value instanceof NumberText) return `number ${decimal(value.text)}`;
  return JSON.stringify(value);
}

const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE])i|([numkMGTPE])|[eE]([+-]?\d+))?$/;
const BINARY = 'KMGTPE';
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** By `k8s.io/apimachinery/pkg/api/resource/quantity.go`, to the letter; what is no quantity is a string. */
function quantity(value: NumberText | string): string {
  const match = QUANTITY.exec(value instanceof NumberText ? value.text : value);
  if (!match) return JSON.stringify(value);
  const [, number = '', binary, suffix, exponent] = match;
  const factor = binary === undefined ? 1n : 1024n ** BigInt(BINARY.indexOf(binary) + 1);
  return `quantity ${decimal(number, factor, suffix === undefined ? exponent : String(DECIMAL[suffix]))}`;
}

/** Writes a decimal number as its digits, without zeros at the end, and a power of ten: `1.50e3` is `15e2`. */
function decimal(text: string, factor = 1n, extraExponent = '0'): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^([+-]?)(\d*)\.?(\d*)(?:[eE](.*))?$/.exec(text) ?? [];
  const digits = String(BigInt(whole + fraction) * factor);
  if (digits === '0') return '0';
  const significant = digits.replace(/0+$/, '');
  const zeros = digits.length - significant.length;
  const power = BigInt(exponent) + BigInt(extraExponent) + BigInt(zeros) - BigInt(fraction.length);
  return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}
