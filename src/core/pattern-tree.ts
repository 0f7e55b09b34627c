import type { Path, Pattern } from './path.ts';

/** Patterns by their segments; each node names the grants whose pattern ends there, and those further down. */
export interface PatternTree {
  readonly children: Map<string, PatternTree>;
  readonly grants: number[];
  readonly grantsBelow: number[];
}

export function createPatternTree(): PatternTree {
  return { children: new Map(), grants: [], grantsBelow: [] };
}

export function addPattern(tree: PatternTree, pattern: Pattern, grant: number): void {
  let node = tree;
  for (const segment of pattern) {
    // The patterns of a grant come one after another.
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

/** Returns the first grant in force that covers `path`: one whose pattern ends at the path or above it. */
export function grantOver(tree: PatternTree, path: Path, isInForce: (grant: number) => boolean): number | undefined {
  let first: number | undefined;
  walk(tree, path, 0, (node) => {
    for (const grant of node.grants) {
      if ((first === undefined || grant < first) && isInForce(grant)) first = grant;
    }
  });
  return first;
}

/** Tells whether a grant in force covers something strictly below `path`. */
export function hasGrantBelow(tree: PatternTree, path: Path, isInForce: (grant: number) => boolean): boolean {
  let found = false;
  walk(tree, path, 0, (node, depth) => {
    found ||= depth === path.length && node.grantsBelow.some(isInForce);
  });
  return found;
}

/** Visits the nodes that `path` passes from `depth` on, by its own segments and by `*`. */
function walk(node: PatternTree, path: Path, depth: number, visit: (node: PatternTree, depth: number) => void): void {
  visit(node, depth);
  if (depth === path.length) return;
  for (const segment of new Set([String(path[depth]), '*'])) {
    const child = node.children.get(segment);
    if (child !== undefined) walk(child, path, depth + 1, visit);
  }
}
