import type { Path, Pattern } from './path.ts';

/** Patterns by their segments; each node names the grants whose pattern ends there. */
export interface PatternTree {
  readonly children: Map<string, PatternTree>;
  readonly grants: number[];
}

export function createPatternTree(): PatternTree {
  return { children: new Map(), grants: [] };
}

export function addPattern(tree: PatternTree, pattern: Pattern, grant: number): void {
  let node = tree;
  for (const segment of pattern) {
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
    found ||= depth === path.length && [...node.children.values()].some((child) => holdsGrant(child, isInForce));
  });
  return found;
}

function holdsGrant(tree: PatternTree, isInForce: (grant: number) => boolean): boolean {
  return tree.grants.some(isInForce) || [...tree.children.values()].some((child) => holdsGrant(child, isInForce));
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
