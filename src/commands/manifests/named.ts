import { isMap, ownValue, type JsonMap } from '../../core/json.ts';
import { ManifestError, parseObjects, type ManifestObject } from '../../kube/manifest.ts';
import { UsageError } from '../usage-error.ts';

/** A Kubernetes object, where it comes from, and what names it. */
export interface Named extends ManifestObject {
  /** As its reader knows it: `stdin`. */
  readonly file: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  /** undefined where the file names none. */
  readonly namespace: string | undefined;
}

/**
 * Reads the objects of a file that was named.
 *
 * @throws UsageError naming everything that is wrong with it
 */
export function objectsOf(text: string, file: string): Named[] {
  try {
    return parseObjects(text, file).map((found) => named(found, file));
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new UsageError(
      isTemplate(text) ? [`${file}: is a Helm template; render it first, with helm template`] : error.problems,
    );
  }
}

/** Sources of Helm's templates are no YAML. */
export function isTemplate(text: string): boolean {
  return text.includes('{{');
}

/**
 * Finds what names an object.
 *
 * @throws UsageError naming what it does not have
 */
export function named(found: ManifestObject, file: string): Named {
  const { object } = found;
  const problems = namingProblems(object);
  if (problems.length > 0) throw new UsageError(problems.map((problem) => `${file}: ${problem}`));
  const metadata = metadataOf(object);
  const [version = '', group = ''] = (textAt(object, 'apiVersion') ?? '').split('/').reverse();
  return {
    ...found,
    file,
    group,
    version,
    kind: textAt(object, 'kind') ?? '',
    name: textAt(metadata, 'name') ?? '',
    namespace: textAt(metadata, 'namespace'),
  };
}

/** Says what an object lacks that would name it. */
export function namingProblems(object: JsonMap): string[] {
  const metadata = metadataOf(object);
  const fields = {
    apiVersion: textAt(object, 'apiVersion'),
    kind: textAt(object, 'kind'),
    'metadata.name': textAt(metadata, 'name'),
  };
  return Object.entries(fields)
    .filter(([, value]) => value === undefined)
    .map(([field]) => `has no ${field}`);
}

/** Returns the metadata of an object; an empty map where it has none. */
export function metadataOf(object: JsonMap): JsonMap {
  const metadata = ownValue(object, 'metadata');
  return isMap(metadata) ? metadata : {};
}

function textAt(map: JsonMap, key: string): string | undefined {
  const value = ownValue(map, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
