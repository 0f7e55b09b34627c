import { guardedResource, type Policy } from '../../core/policy.ts';
import { UsageError } from '../usage-error.ts';
import type { Named } from '../manifests/named.ts';
import type { UpdateFlags } from './update-request.ts';

/** The objects of two sides, sorted by what becomes of them. */
export interface Pairs {
  readonly updates: readonly (readonly [before: Named, after: Named])[];
  readonly created: readonly Named[];
  readonly deleted: readonly Named[];
  /** How many objects are of kinds that the policy does not guard. */
  readonly notGuarded: number;
}

/**
 * Pairs the objects of two sides by group, kind, namespace and name. A new object without a namespace is the one old
 * object that differs in nothing else.
 *
 * @throws UsageError where a side has an object twice
 */
export function pairObjects(
  before: readonly Named[],
  after: readonly Named[],
  flags: UpdateFlags,
  policy: Policy,
): Pairs {
  const isGuarded = ({ group, kind }: Named): boolean =>
    flags.resource !== undefined || guardedResource(policy, group, `${kind.toLowerCase()}s`) !== undefined;
  const keyOf = keysWith(flags.namespace ?? 'default');
  const oldByKey = byKey(before.filter(isGuarded), keyOf);
  const newByKey = byKey(after.filter(isGuarded), keyOf);
  const oldKeyOf = oldKeys(oldByKey);
  const paired = [...newByKey].map(([key, object]) => ({ object, oldKey: oldKeyOf(key, object) }));
  const found = new Set(paired.map(({ oldKey }) => oldKey));
  return {
    updates: paired.flatMap(({ object, oldKey }) => {
      const old = oldByKey.get(oldKey);
      return old === undefined ? [] : [[old, object] as const];
    }),
    created: paired.filter(({ oldKey }) => !oldByKey.has(oldKey)).map(({ object }) => object),
    deleted: [...oldByKey].filter(([key]) => !found.has(key)).map(([, object]) => object),
    notGuarded: countNotGuarded(before, after, isGuarded, keyOf),
  };
}

type KeyOf = (object: Named) => string;

function keysWith(defaultNamespace: string): KeyOf {
  return ({ group, kind, name, namespace = defaultNamespace }) => JSON.stringify([group, kind, name, namespace]);
}

function byKey(objects: readonly Named[], keyOf: KeyOf): Map<string, Named> {
  const found = new Map<string, Named>();
  const problems: string[] = [];
  for (const object of objects) {
    const key = keyOf(object);
    const first = found.get(key);
    if (first !== undefined)
      problems.push(`${placeOf(object)}: ${object.kind} "${object.name}" is also in ${placeOf(first)}`);
    found.set(key, object);
  }
  if (problems.length > 0) throw new UsageError(problems);
  return found;
}

/** `jobs/mnist.yaml:3`. */
function placeOf({ file, positionOf }: Named): string {
  return `${file}:${positionOf([]).line}`;
}

/** Returns what finds the old object's key for a new object. */
function oldKeys(oldByKey: ReadonlyMap<string, Named>): (key: string, object: Named) => string {
  const withoutNamespace = keysWith('');
  const inAnyNamespace = Map.groupBy(oldByKey.keys(), (key) => {
    const old = oldByKey.get(key);
    return old === undefined ? '' : withoutNamespace({ ...old, namespace: undefined });
  });
  return (key, object) => {
    if (oldByKey.has(key) || object.namespace !== undefined) return key;
    const [only, ...others] = inAnyNamespace.get(withoutNamespace(object)) ?? [];
    return only === undefined || others.length > 0 ? key : only;
  };
}

function countNotGuarded(
  before: readonly Named[],
  after: readonly Named[],
  isGuarded: (object: Named) => boolean,
  keyOf: KeyOf,
): number {
  return new Set([...before, ...after].filter((object) => !isGuarded(object)).map(keyOf)).size;
}
