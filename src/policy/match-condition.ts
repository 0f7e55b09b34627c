import { SERVER_OWNED_METADATA } from '../core/field-type.ts';
import type { CompletePolicy, CompleteResource } from './document.ts';

/** What of a policy decides which updates may be refused. */
export type ConditionedPolicy = Pick<CompletePolicy, 'resources' | 'allow' | 'presets'>;

const OWNERSHIP = ['finalizers', 'ownerReferences'];

/** Where an operator misreads values. One that deserves a warning has to be asked about: src/core/misread.ts. */
const CLEAN_POD_POLICIES = ['/spec/cleanPodPolicy', '/spec/runPolicy/cleanPodPolicy'];
const SECONDS = [
  '/spec/activeDeadlineSeconds',
  '/spec/ttlSecondsAfterFinished',
  '/spec/runPolicy/activeDeadlineSeconds',
  '/spec/runPolicy/ttlSecondsAfterFinished',
];
/** Allowed as a whole, they would let such values pass unasked. */
const ABOVE_MISREADINGS = ['/spec', '/spec/runPolicy'];

/** A Go struct and no pointer: absent equals empty, and the CRD writes `suspend: false` into a new one. */
const RUN_POLICY = '/spec/runPolicy';
const KINDS_WITH_RUN_POLICY = ['tfjobs', 'pytorchjobs', 'mpijobs', 'xgboostjobs', 'paddlejobs', 'jaxjobs'];

/** What can stand in a CEL string as it is, and has no `*`. Whatever else a policy names is asked about. */
const PLAIN_PATH = /^(\/[\w.~-]+)+$/;
const PLAIN_NAME = /^[\w.:@/-]+$/;

/**
 * More keys than a job has anywhere, and few enough for the API server's budget of a million steps an expression. A map
 * with more of them is asked about.
 */
const MAX_KEYS = 1000;

/** What is walked in one resource. */
interface Walk {
  readonly paths: readonly string[];
  readonly parents: readonly string[];
  readonly hasRunPolicy: boolean;
  /** CEL: whether this writer may change finalizers and owners of this object. */
  readonly mayChangeOwnership: string;
}

/**
 * Writes the CEL expression that is true for every update that a policy may refuse or warn of. It is false for changes of
 * allowed paths without `*`, of finalizers and owners where these may change, and where nothing changes. No object makes
 * it fail, since the API server would then refuse the update.
 *
 * The chart renders the same text: charts/jobguard/templates/_match-condition.tpl.
 */
export function matchCondition(policy: ConditionedPolicy): string {
  const conditions = policy.resources.map((resource) => resourceCondition(policy, resource));
  const [first = ''] = conditions;
  const condition = new Set(conditions).size === 1 ? first : conditionByResource(policy.resources, conditions);
  return `has(request.subResource) && request.subResource != '' || ${condition}`;
}

function conditionByResource(resources: readonly CompleteResource[], conditions: readonly string[]): string {
  const branches = resources.map(
    ({ group, resource }, index) =>
      `request.resource.group == '${group}' && request.resource.resource == '${resource}' ? ${conditions[index] ?? ''} : `,
  );
  return `(${branches.join('')}true)`;
}

function resourceCondition(policy: ConditionedPolicy, { group, resource, allow }: CompleteResource): string {
  const paths = outermost([...policy.allow, ...allow].filter(isPlain));
  const parents = ['/metadata', ...paths.flatMap(pathsAbove)].filter((path) => !paths.includes(path));
  const walk = {
    paths,
    parents: [...new Set(parents)],
    hasRunPolicy: group === 'kubeflow.org' && KINDS_WITH_RUN_POLICY.includes(resource),
    mayChangeOwnership: mayChangeOwnership(policy),
  };
  return `!(${unchangedBelow('', walk)})`;
}

function isPlain(path: string): boolean {
  return PLAIN_PATH.test(path) && !ABOVE_MISREADINGS.includes(path);
}

function outermost(paths: readonly string[]): string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

/** Returns the paths above one, from the top: `/spec` and `/spec/runPolicy` of `/spec/runPolicy/suspend`. */
function pathsAbove(path: string): string[] {
  const segments = path.split('/').slice(1, -1);
  return segments.map((_segment, index) => `/${segments.slice(0, index + 1).join('/')}`);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Writes that nothing changes at a place but what is allowed below it. */
function unchangedBelow(parent: string, walk: Walk): string {
  const isHere = (path: string): boolean => parentOf(path) === parent;
  const [inner, leaves] = [walk.parents.filter(isHere), walk.paths.filter(isHere)];
  return [
    ...sameKeys(parent, [...inner, ...leaves].map(keyOf), walk),
    ...leaves.flatMap(harmlessValue),
    ...inner.map((path) => `(${at('object', path)} == ${at('oldObject', path)} || ${unchangedBelow(path, walk)})`),
  ].join('\n&& ');
}

/** Writes that both sides have a map at a place, and that these differ in the given keys alone. */
function sameKeys(parent: string, keys: readonly string[], walk: Walk): string[] {
  const isRunPolicy = parent === RUN_POLICY && walk.hasRunPolicy;
  const map = (side: string): string => (isRunPolicy ? `${at(side, parent)}.orValue({})` : direct(side, parent));
  const isMap = (side: string): string => {
    const value = parent === '' || isRunPolicy ? map(side) : `${at(side, parent)}.orValue(null)`;
    return `type(${value}) == map && size(${map(side)}) < ${MAX_KEYS}`;
  };
  const covered =
    parent === '/metadata'
      ? `k in ${celList([...keys, ...SERVER_OWNED_METADATA])} || (k in ${celList(OWNERSHIP)} && ${walk.mayChangeOwnership})`
      : `k in ${celList(keys)}`;
  const [object, oldObject] = [map('object'), map('oldObject')];
  const mayCome = isRunPolicy ? ` || (k == 'suspend' && !(k in ${oldObject}) && ${object}[k] == false)` : '';
  const mayGo = isRunPolicy ? ` || (k == 'suspend' && ${oldObject}[k] == false)` : '';
  return [
    isMap('object'),
    isMap('oldObject'),
    `${object}.all(k, ${covered} || (k in ${oldObject} && ${object}[k] == ${oldObject}[k])${mayCome})`,
    `${oldObject}.all(k, ${covered} || k in ${object}${mayGo})`,
  ];
}

/** Writes that a new value deserves no warning; nothing where no value does. */
function harmlessValue(path: string): string[] {
  const [optional, value] = [at('object', path), direct('object', path)];
  const unless = (test: string): string[] => [
    `(${optional} == ${at('oldObject', path)} || !${optional}.hasValue() || ${value} == null || ${test})`,
  ];
  if (CLEAN_POD_POLICIES.includes(path)) return unless(`${value} in ['', 'None', 'Running', 'All']`);
  if (SECONDS.includes(path)) return unless(`type(${value}) == int && ${value} >= 0`);
  return [];
}

function mayChangeOwnership({ presets: { garbageCollector } }: ConditionedPolicy): string {
  const isTerminating = `type(oldObject['metadata'][?'deletionTimestamp'].orValue(null)) == string`;
  const usernames = garbageCollector === false ? [] : garbageCollector.usernames;
  const plain = usernames.filter((name) => PLAIN_NAME.test(name));
  return plain.length === 0 ? isTerminating : `(${isTerminating} || request.userInfo.username in ${celList(plain)})`;
}

/** Writes the optional value at a path. */
function at(side: string, path: string): string {
  return `${side}${keysOf(path)
    .map((key) => `[?'${key}']`)
    .join('')}`;
}

/** Writes the value at a path where there is one; anywhere else it is an error. */
function direct(side: string, path: string): string {
  return at(side, path).replaceAll('[?', '[');
}

function keysOf(path: string): string[] {
  return path.split('/').slice(1).map(unescaped);
}

function keyOf(path: string): string {
  return unescaped(path.slice(path.lastIndexOf('/') + 1));
}

function unescaped(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}

function celList(texts: readonly string[]): string {
  return `[${texts.map((text) => `'${text}'`).join(', ')}]`;
}
