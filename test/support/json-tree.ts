/** JSON as it is written: numbers keep their text, so that `1.0`, `1e400` and 2^53 + 1 stay what they are. */
export type Tree = null | boolean | string | NumberText | Tree[] | Map<string, Tree>;

/** A number by its text. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const TOKEN = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/g;

/** Reads well-formed JSON, with a reader of its own: what is tested by it must not be read by what is tested. */
export function readTree(json: string): Tree {
  const tokens = json.match(TOKEN) ?? [];
  let position = 0;
  const peek = (): string => tokens[position] ?? '';
  const next = (): string => tokens[position++] ?? '';
  const readItems = (end: string, readItem: () => void): void => {
    while (peek() !== end) {
      readItem();
      if (peek() === ',') next();
    }
    next();
  };
  const readValue = (): Tree => {
    const token = next();
    if (token === '[') {
      const items: Tree[] = [];
      readItems(']', () => items.push(readValue()));
      return items;
    }
    if (token !== '{') return readScalar(token);
    const map = new Map<string, Tree>();
    readItems('}', () => {
      const key = readString(next());
      next();
      map.set(key, readValue());
    });
    return map;
  };
  return readValue();
}

function readScalar(token: string): Tree {
  if (token.startsWith('"')) return readString(token);
  if (token === 'null') return null;
  if (token === 'true' || token === 'false') return token === 'true';
  return new NumberText(token);
}

function readString(token: string): string {
  return token.includes('\\') ? String(JSON.parse(token)) : token.slice(1, -1);
}

const written = new WeakMap<object, string>();

/** Writes a tree as JSON, its numbers as they were read. Trees do not change, so each part of one is written once. */
export function writeTree(tree: Tree): string {
  if (tree instanceof NumberText) return tree.text;
  if (typeof tree !== 'object' || tree === null) return JSON.stringify(tree);
  const text = written.get(tree) ?? writeContainer(tree);
  written.set(tree, text);
  return text;
}

function writeContainer(tree: Tree[] | Map<string, Tree>): string {
  if (Array.isArray(tree)) return `[${tree.map(writeTree).join(',')}]`;
  return `{${Array.from(tree, ([key, value]) => `${JSON.stringify(key)}:${writeTree(value)}`).join(',')}}`;
}

/** Returns what stands below a tree under `segments`, or undefined. */
export function valueAt(tree: Tree | undefined, ...segments: readonly (string | number)[]): Tree | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return tree;
  if (tree instanceof Map) return valueAt(tree.get(String(segment)), ...rest);
  return Array.isArray(tree) ? valueAt(tree[Number(segment)], ...rest) : undefined;
}

/**
 * Returns a tree that has, at `path`, what `change` makes of what was there; undefined stands for nothing, before and
 * after. Maps that are missing on the way are made, other things on the way are left alone. The given tree stays as it is.
 */
export function changeAt(
  tree: Tree,
  path: readonly (string | number)[],
  change: (value: Tree | undefined) => Tree | undefined,
): Tree {
  return changed(tree, path, change) ?? null;
}

function changed(
  tree: Tree | undefined,
  [segment, ...rest]: readonly (string | number)[],
  change: (value: Tree | undefined) => Tree | undefined,
): Tree | undefined {
  if (segment === undefined) return change(tree);
  if (Array.isArray(tree)) {
    const items = tree.map((item, index) => (index === segment ? changed(item, rest, change) : item));
    return items.filter((item) => item !== undefined);
  }
  if (tree !== undefined && !(tree instanceof Map)) return tree;
  const copy = new Map(tree);
  const child = changed(copy.get(String(segment)), rest, change);
  if (child === undefined) copy.delete(String(segment));
  else copy.set(String(segment), child);
  return copy;
}
