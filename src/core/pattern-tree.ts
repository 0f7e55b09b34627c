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
  for (const { node } of nodesAlong(tree, path)) {
    for (const grant of node.grants) {
      if ((first === undefined || grant < first) && isInForce(grant)) first = grant;
    }
  }
  return first;
}

/** Tells whether a grant in force covers something strictly below `path`. */
export function hasGrantBelow(tree: PatternTree, path: Path, isInForce: (grant: number) => boolean): boolean {
  for (const { node, depth } of nodesAlong(tree, path)) {
    if (depth === path.length && [...node.children.values()].some((child) => holdsGrant(child, isInForce))) return true;
  }
  return false;
}

function holdsGrant(tree: PatternTree, isInForce: (grant: number) => boolean): boolean {
  return tree.grants.some(isInForce) || [...tree.children.values()].some((child) => holdsGrant(child, isInForce));
}

/** Walks the nodes that `path` passes, by its own segments and by `*`. */
function* nodesAlong(tree: PatternTree, path: Path): Generator<{ node: PatternTree; depth: number }> {
  let level = [tree];
  for (let depth = 0; level.length > 0; depth += 1) {
    for (const node of level) yield { node, depth };
    const segment = path[depth];
    if (segment === undefined) return;
    level = level.flatMap((node) => childrenAt(node, String(segment)));
  }
}

function childrenAt(node: PatternTree, segment: string): PatternTree[] {
  const named = segment === '*' ? undefined : node.children.get(segment);
  return [named, node.children.get('*')].filter((child) => child !== undefined);
}
