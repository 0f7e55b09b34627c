import type { Path, Pattern, Segment } from './path.ts';

/** Patterns by their segments; each node names the grants whose pattern ends there, and those further down, in ascending order. */
export interface PatternTree {
  readonly children: Map<string, PatternTree>;
  readonly grants: number[];
  readonly grantsBelow: number[];
}

export function createPatternTree(): PatternTree {
  return { children: new Map(), grants: [], grantsBelow: [] };
}

/** Adds a pattern of a grant; grants are added in ascending order. */
export function addPattern(tree: PatternTree, pattern: Pattern, grant: number): void {
  let node = tree;
  for (const segment of pattern) {
    if (node.grantsBelow.at(-1) !== grant) node.grantsBelow.push(grant);
    let child = node.children.get(segment);
    if (child === undefined) {
      child = createPatternTree();
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
export function grantOver(
  tree: PatternTree,
  path: Path,
  isInForce: (grant: number) => boolean,
  depth = 0,
): number | undefined {
  let first = tree.grants.find(isInForce);
  for (const child of childrenAt(tree, path[depth])) {
    const grant = grantOver(child, path, isInForce, depth + 1);
    if (grant !== undefined && (first === undefined || grant < first)) first = grant;
  }
  return first;
}

/** Tells whether a grant in force covers something strictly below `path`. */
export function hasGrantBelow(
  tree: PatternTree,
  path: Path,
  isInForce: (grant: number) => boolean,
  depth = 0,
): boolean {
  if (depth === path.length) return tree.grantsBelow.some(isInForce);
  return childrenAt(tree, path[depth]).some((child) => hasGrantBelow(child, path, isInForce, depth + 1));
}

const NONE: readonly PatternTree[] = [];

/** Returns the nodes that a segment leads to, by its own name and by `*`. */
function childrenAt({ children }: PatternTree, segment: Segment | undefined): readonly PatternTree[] {
  if (segment === undefined || children.size === 0) return NONE;
  const name = String(segment);
  const named = name === '*' ? undefined : children.get(name);
  const any = children.get('*');
  if (named === undefined) return any === undefined ? NONE : [any];
  return any === undefined ? [named] : [named, any];
}
