import type { Path, Pattern, Segment } from './path.ts';

/** Of several grants that cover a path, the one of the lowest rank counts. */
export interface Ranked {
  readonly rank: number;
}

/** Patterns by their segments; each node has the grants whose pattern ends there, and those further down, by rank. */
export interface PatternTree<Grant extends Ranked> {
  readonly children: Map<string, PatternTree<Grant>>;
  readonly grants: Grant[];
  readonly grantsBelow: Grant[];
}

export function createPatternTree<Grant extends Ranked>(): PatternTree<Grant> {
  return { children: new Map(), grants: [], grantsBelow: [] };
}

/** Adds a pattern of a grant; grants are added in the order of their ranks. */
export function addPattern<Grant extends Ranked>(tree: PatternTree<Grant>, pattern: Pattern, grant: Grant): void {
  let node = tree;
  for (const segment of pattern) {
    if (node.grantsBelow.at(-1) !== grant) node.grantsBelow.push(grant);
    let child = node.children.get(segment);
    if (child === undefined) {
      child = createPatternTree<Grant>();
      node.children.set(segment, child);
    }
    node = child;
  }
  node.grants.push(grant);
}

/**
 * Returns the first grant in force that covers `path`: one whose pattern ends at the path or above it.
 *
 * The nodes to which `since` segments of the path or more lead come or go as a whole. Where a `*` stands for one of
 * them, its pattern grants that only if it ends there: with `replicas` of any role allowed nobody adds a role.
 */
export function grantOver<Grant extends Ranked>(
  tree: PatternTree<Grant>,
  path: Path,
  isInForce: (grant: Grant) => boolean,
  since = Infinity,
): Grant | undefined {
  const search = (node: PatternTree<Grant>, depth: number): Grant | undefined => {
    let first = node.grants.find(isInForce);
    for (const child of childrenAt(node, path[depth], depth + 1 >= since)) {
      const grant = search(child, depth + 1);
      if (grant !== undefined && (first === undefined || grant.rank < first.rank)) first = grant;
    }
    return first;
  };
  return search(tree, 0);
}

/** Tells whether a grant in force covers something strictly below `path`; `since` is as for `grantOver`. */
export function hasGrantBelow<Grant extends Ranked>(
  tree: PatternTree<Grant>,
  path: Path,
  isInForce: (grant: Grant) => boolean,
  since = Infinity,
): boolean {
  const search = (node: PatternTree<Grant>, depth: number): boolean =>
    depth === path.length
      ? node.grantsBelow.some(isInForce)
      : childrenAt(node, path[depth], depth + 1 >= since).some((child) => search(child, depth + 1));
  return search(tree, 0);
}

/** Returns the nodes that a segment leads to, by its own name and by `*`; by `*` without what is below where it must end. */
function childrenAt<Grant extends Ranked>(
  { children }: PatternTree<Grant>,
  segment: Segment | undefined,
  mustStarEnd: boolean,
): readonly PatternTree<Grant>[] {
  if (segment === undefined || children.size === 0) return [];
  const name = String(segment);
  const named = name === '*' ? undefined : children.get(name);
  const any = starOf(children, mustStarEnd);
  if (named === undefined) return any === undefined ? [] : [any];
  return any === undefined ? [named] : [named, any];
}

function starOf<Grant extends Ranked>(
  children: PatternTree<Grant>['children'],
  mustEnd: boolean,
): PatternTree<Grant> | undefined {
  const star = children.get('*');
  return star !== undefined && mustEnd ? endOf(star) : star;
}

/** Returns a node without what is below it. */
function endOf<Grant extends Ranked>({ grants }: PatternTree<Grant>): PatternTree<Grant> {
  return { ...createPatternTree<Grant>(), grants };
}
