/** How the rule's CEL calls what it compares: both objects, and the `spec.runPolicy` of each, `{}` where there is none. */
export interface CelNames {
  readonly object: string;
  readonly oldObject: string;
  readonly runPolicy: string;
  readonly oldRunPolicy: string;
}

const SERVER_OWNED = `['labels', 'annotations', 'managedFields', 'generation', 'resourceVersion']`;
const FREE = `['activeDeadlineSeconds', 'ttlSecondsAfterFinished', 'cleanPodPolicy']`;

/** Writes the five-field rule in CEL; the objects have to be untyped, so that `all` walks every key. */
export function celRule({ object, oldObject, runPolicy, oldRunPolicy }: CelNames): string {
  return [
    sameBut(object, oldObject, `['metadata', 'spec']`),
    sameBut(`${object}.metadata`, `${oldObject}.metadata`, SERVER_OWNED),
    sameBut(`${object}.spec`, `${oldObject}.spec`, `${FREE} || k == 'runPolicy'`),
    sameBut(runPolicy, oldRunPolicy, FREE),
  ].join(' && ');
}

function sameBut(object: string, old: string, free: string): string {
  return (
    `${object}.all(k, k in ${free} || (k in ${old} && ${object}[k] == ${old}[k]))` +
    ` && ${old}.all(k, k in ${free} || k in ${object})`
  );
}

/** Writes the `spec.runPolicy` of an object, which some kinds of job have not. */
export function celRunPolicy(object: string): string {
  return `has(${object}.spec.runPolicy) ? ${object}.spec.runPolicy : {}`;
}
