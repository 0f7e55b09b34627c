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
 * `depth` is how many of the path's segments lead to `tree`.
 */
export function grantOver<Grant extends Ranked>(
  tree: PatternTree<Grant>,
  path: Path,
  isInForce: (grant: Grant) => boolean,
  depth = 0,
): Grant | undefined {
  let first = tree.grants.find(isInForce);
  for (const child of childrenAt(tree, path[depth])) {
    const grant = grantOver(child, path, isInForce, depth + 1);
    if (grant !== undefined && (first === undefined || grant.rank < first.rank)) first = grant;
  }
  return first;
}

/** Tells whether a grant in force covers something strictly below `path`. */
export function hasGrantBelow<Grant extends Ranked>(
  tree: PatternTree<Grant>,
  path: Path,
  isInForce: (grant: Grant) => boolean,
  depth = 0,
): boolean {
  if (depth === path.length) return tree.grantsBelow.some(isInForce);
  return childrenAt(tree, path[depth]).some((child) => hasGrantBelow(child, path, isInForce, depth + 1));
}

/** Returns the nodes that a segment leads to, by its own name and by `*`. */
function childrenAt<Grant extends Ranked>(
  { children }: PatternTree<Grant>,
  segment: Segment | undefined,
): readonly PatternTree<Grant>[] {
  if (segment === undefined || children.size === 0) return [];
  const name = String(segment);
  const named = name === '*' ? undefined : children.get(name);
  const any = children.get('*');
  if (named === undefined) return any === undefined ? [] : [any];
  return any === undefined ? [named] : [named, any];
}
