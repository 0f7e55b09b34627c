import { isMap, isScalar, parseAllDocuments, parseDocument, Scalar, visit, type Document } from 'yaml';

import { exactJsonText } from '../../kube/exact-text.ts';
import type { Named } from '../manifests/named.ts';

/** How the new job is called, and the one that it is made of. */
export interface NewJob {
  /** undefined where the API server is to make one of `generateName`. */
  readonly name: string | undefined;
  readonly of: string;
}

/** What belongs to the old run. */
const OF_OLD_RUN: readonly (readonly string[])[] = [
  ['status'],
  ...[
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
    'managedFields',
    'ownerReferences',
    'finalizers',
  ].map((field) => ['metadata', field]),
  ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'],
];

const ANNOTATIONS = ['metadata', 'annotations'];
const RERUN_OF = 'jobguard.dev/rerun-of';

/** Without types, so that whatever is not changed is written as it was read. */
const AS_WRITTEN = { schema: 'failsafe' } as const;

/**
 * Makes the manifest of a new job out of that of an old one, and of the text that holds it, if there is one: without what
 * belongs to the old run, and with a name of its own. Comments, the order of keys and the spelling of values stay.
 */
export function newManifest(wanted: Named, text: string | undefined, { name, of }: NewJob): string {
  const document = documentOf(wanted, text) ?? blocksOf(wanted);
  for (const path of OF_OLD_RUN) if (document.hasIn(path)) document.deleteIn(path);
  if (name === undefined) document.deleteIn(['metadata', 'name']);
  else document.setIn(['metadata', 'name'], quotedIfNeeded(name));
  const annotations = document.getIn(ANNOTATIONS, true);
  if (!isMap(annotations) || annotations.items.length === 0) document.deleteIn(ANNOTATIONS);
  document.setIn([...ANNOTATIONS, RERUN_OF], quotedIfNeeded(of));
  return document.toString({ lineWidth: 0 });
}

/** Returns the document of a text that is the object; undefined where it is in a List, is JSON, or stands for others. */
function documentOf({ kind }: Named, text = ''): Document | undefined {
  if (text.trimStart().startsWith('{')) return undefined;
  const documents = parseAllDocuments(text, AS_WRITTEN);
  const [only, ...others] = [...documents].filter(({ contents }) => isMap(contents));
  const isObject = only?.get('kind') === kind && others.length === 0 && !hasAliases(only);
  return isObject ? only : undefined;
}

function hasAliases(document: Document): boolean {
  let found = false;
  visit(document, { Alias: () => void (found = true) });
  return found;
}

/** Names are plain in YAML, unless one looks like something else, such as `yes` or `1e3`. */
function quotedIfNeeded(name: string): Scalar {
  const scalar = new Scalar(name);
  scalar.type = /^[\d.~]|^(?:y|n|yes|no|on|off|true|false|null)$/i.test(name) ? Scalar.QUOTE_DOUBLE : Scalar.PLAIN;
  return scalar;
}

/** A key that means the same without quotes. */
const PLAIN_KEY = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][\w./-]*$/i;

/** Writes an object as YAML that people like to read. Texts stay quoted, as no YAML takes them for anything else then. */
function blocksOf({ object }: Named): Document {
  const document = parseDocument(exactJsonText(object), AS_WRITTEN);
  visit(document, {
    Collection: (_key, collection) => {
      collection.flow = collection.items.length === 0;
    },
    Pair: (_key, { key }) => {
      if (isScalar(key) && PLAIN_KEY.test(String(key.value))) key.type = Scalar.PLAIN;
    },
  });
  return document;
}
