import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';
import { parsePointer } from '../core/path.ts';
import { CRD_DEFAULTS } from './crd-defaults.ts';
import { mapItems } from './map-items.ts';

/** Defaults by their paths, so that an object is walked once for all of them. */
interface DefaultTree {
  /** undefined where the field has no default itself. */
  value: JsonValue | undefined;
  readonly below: Map<string, DefaultTree>;
}

const DEFAULTS: ReadonlyMap<string, DefaultTree> = new Map(
  Object.entries(CRD_DEFAULTS).map(([group, defaults]) => [group, treeOf(defaults)]),
);

function treeOf(defaults: readonly (readonly [path: string, value: JsonValue])[]): DefaultTree {
  const root: DefaultTree = { value: undefined, below: new Map() };
  for (const [path, value] of defaults) {
    let node = root;
    for (const segment of parsePointer(path) ?? []) {
      const below = node.below.get(segment) ?? { value: undefined, below: new Map() };
      node.below.set(segment, below);
      node = below;
    }
    node.value = value;
  }
  return root;
}

/** Returns an object with the defaults that the API server sets by the CRD of its kind, as far as they are known. */
export function withDefaults(object: JsonMap, group: string): JsonMap {
  const tree = DEFAULTS.get(group);
  const filled = tree === undefined ? object : fill(object, tree);
  return isMap(filled) ? filled : object;
}

/** Sets every value whose path leads to a field that is left out; null is left out. */
function fill(node: JsonValue, { below }: DefaultTree): JsonValue {
  const star = below.get('*');
  const items = star === undefined ? node : mapItems(node, (item) => fill(item, star));
  if (!isMap(items)) return items;
  return { ...items, ...Object.fromEntries([...below].flatMap(([key, tree]) => filledField(items, key, tree))) };
}

function filledField(map: JsonMap, key: string, tree: DefaultTree): [string, JsonValue][] {
  const item = ownValue(map, key) ?? null;
  if (item !== null) return [[key, fill(item, tree)]];
  return tree.value === undefined ? [] : [[key, tree.value]];
}
