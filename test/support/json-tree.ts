/** JSON as it is written: numbers keep their text, so that `1.0`, `1e400` and 2^53 + 1 stay what they are. */
export type Tree = null | boolean | string | NumberText | Tree[] | Map<string, Tree>;

/** A number by its text. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const TOKEN = /\s*([{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+)/gy;

/** Reads well-formed JSON, with a reader of its own: what is tested by it must not be read by what is tested. */
export function readTree(json: string): Tree {
  const tokens = Array.from(json.matchAll(TOKEN), (match) => match[1] ?? '');
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
  return String(JSON.parse(token));
}

/** Writes a tree as JSON, its numbers as they were read. */
export function writeTree(tree: Tree): string {
  if (tree instanceof NumberText) return tree.text;
  if (Array.isArray(tree)) return `[${tree.map(writeTree).join(',')}]`;
  if (!(tree instanceof Map)) return JSON.stringify(tree);
  return `{${Array.from(tree, ([key, value]) => `${JSON.stringify(key)}:${writeTree(value)}`).join(',')}}`;
}

/** Returns what stands below a tree under `segments`, or undefined. */
export function valueAt(tree: Tree | undefined, ...segments: readonly (string | number)[]): Tree | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return tree;
  if (tree instanceof Map) return valueAt(tree.get(String(segment)), ...rest);
  return Array.isArray(tree) ? valueAt(tree[Number(segment)], ...rest) : undefined;
}
