import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';
import { parsePointer } from '../core/path.ts';
import { KUBEFLOW_DEFAULTS } from './crd-defaults.ts';
import { mapItems } from './map-items.ts';

interface Default {
  readonly path: readonly string[];
  readonly value: JsonValue;
}

const DEFAULTS: ReadonlyMap<string, readonly Default[]> = new Map([
  ['kubeflow.org', KUBEFLOW_DEFAULTS.map(([path, value]) => ({ path: parsePointer(path) ?? [], value }))],
]);

/** Returns an object with the defaults that the API server sets by the CRD of its kind, as far as they are known. */
export function withDefaults(object: JsonMap, group: string): JsonMap {
  return (DEFAULTS.get(group) ?? []).reduce((filled, { path, value }) => {
    const result = fill(filled, path, value);
    return isMap(result) ? result : filled;
  }, object);
}

/** Sets the value wherever the path leads to a field that is left out; null is left out. */
function fill(node: JsonValue, [segment = '', ...rest]: readonly string[], value: JsonValue): JsonValue {
  if (segment === '*') return mapItems(node, (item) => fill(item, rest, value));
  if (!isMap(node)) return node;
  const item = ownValue(node, segment) ?? null;
  if (rest.length === 0) return item === null ? { ...node, [segment]: value } : node;
  return item === null ? node : { ...node, [segment]: fill(item, rest, value) };
}
