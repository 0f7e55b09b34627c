import { isMap, ownValue, parseJson, type JsonMap, type JsonValue } from '../core/json.ts';

/** Where `kubectl apply` keeps the manifest that it applied last. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Returns what `kubectl apply` of a manifest makes of a stored object: what the manifest that was applied last named and
 * this one does not is removed, what neither names stays. A stored object that comes from no server is itself the
 * manifest that was applied. The annotation in which kubectl keeps it is left as it is.
 *
 * Custom resources are merged as JSON, lists as a whole: k8s.io/apimachinery pkg/util/jsonmergepatch/patch.go,
 * CreateThreeWayJSONMergePatch.
 */
export function applied(stored: JsonMap, manifest: JsonMap): JsonMap {
  const object = merged(stored, isFromServer(stored) ? lastApplied(stored) : stored, manifest);
  const annotation = annotationOf(stored);
  if (annotation === annotationOf(manifest)) return object;
  const metadata = mapAt(object, 'metadata');
  const others = Object.entries(mapAt(metadata, 'annotations')).filter(([key]) => key !== LAST_APPLIED);
  const annotations = Object.fromEntries([
    ...others,
    ...(annotation === undefined ? [] : [[LAST_APPLIED, annotation] as const]),
  ]);
  return { ...object, metadata: { ...metadata, annotations } };
}

/** Only a server gives an object these. */
function isFromServer(object: JsonMap): boolean {
  const metadata = mapAt(object, 'metadata');
  return ['uid', 'resourceVersion', 'creationTimestamp'].some((key) => Object.hasOwn(metadata, key));
}

/** Returns the manifest that `kubectl apply` applied last, as a stored object says; an empty map where it does not. */
export function lastApplied(stored: JsonMap): JsonMap {
  const annotation = annotationOf(stored);
  try {
    const value = typeof annotation === 'string' ? parseJson(annotation) : undefined;
    return isMap(value) ? value : {};
  } catch {
    return {}; // somebody else's text, which removes nothing
  }
}

function annotationOf(object: JsonMap): JsonValue | undefined {
  return ownValue(mapAt(mapAt(object, 'metadata'), 'annotations'), LAST_APPLIED);
}

function mapAt(map: JsonMap, key: string): JsonMap {
  const value = ownValue(map, key);
  return isMap(value) ? value : {};
}

function merged(stored: JsonMap, last: JsonMap, manifest: JsonMap): JsonMap {
  const isRemoved = (key: string): boolean =>
    Object.hasOwn(manifest, key) ? ownValue(last, key) !== null : Object.hasOwn(last, key);
  const kept = Object.entries(stored).filter(([key]) => (ownValue(manifest, key) ?? null) === null && !isRemoved(key));
  const named = Object.entries(manifest)
    .filter(([, value]) => value !== null)
    .map(([key, value]): [string, JsonValue] => [
      key,
      isMap(value) ? merged(mapAt(stored, key), mapAt(last, key), value) : value,
    ]);
  return Object.fromEntries([...kept, ...named]);
}
