import { isMap, ownValue, type JsonMap } from '../../core/json.ts';
import { UsageError } from '../usage-error.ts';

/** Of a label of DNS (RFC 1035), which the names of the services are that the operator makes for the pods. */
const MAX_LABEL_LENGTH = 63;
const LABEL = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
/** What a kind without replica specs puts behind the name, such as `-workers-0-0-` and five characters of JobSet's. */
const OTHER_SUFFIX_LENGTH = 20;

/**
 * Returns the name with the next number: `mnist-2` after `mnist`, `mnist-3` after `mnist-2`. It is shortened where the
 * names of the job's pods would be too long.
 */
export function nextName(name: string, job: JsonMap): string {
  const [, base = name, number = '1'] = /^(.*)-(\d{1,6})$/.exec(name) ?? [];
  const suffix = `-${Number(number) + 1}`;
  return `${base.slice(0, maxLength(job) - suffix.length).replace(/-+$/, '')}${suffix}`;
}

/**
 * Checks that the operator can make pods and services for a job of this name.
 * Source: training-operator pkg/apis/kubeflow.org/v1, which wants a label of RFC 1035; pkg/core/job.go, GenGeneralName.
 *
 * @throws UsageError
 */
export function checkName(name: string, job: JsonMap): void {
  if (!LABEL.test(name)) {
    throw new UsageError([
      `"${name}" is no name for a job: it has to begin with a letter and consist of small letters, digits and dashes`,
    ]);
  }
  const max = maxLength(job);
  if (name.length > max) {
    throw new UsageError([`"${name}" is too long: the names of its pods leave ${max} characters; --name sets another`]);
  }
}

/** Returns how long the name of a job may be: its pods' names, such as `mnist-worker-0`, are labels of DNS. */
function maxLength(job: JsonMap): number {
  const spec = ownValue(job, 'spec');
  const suffixes = Object.entries(isMap(spec) ? spec : {})
    .filter(([key]) => key.endsWith('ReplicaSpecs'))
    .flatMap(([, replicaSpecs]) => Object.entries(isMap(replicaSpecs) ? replicaSpecs : {}))
    .map(([type, replicaSpec]) => `-${type}-${lastIndex(replicaSpec)}`.length);
  return MAX_LABEL_LENGTH - (suffixes.length === 0 ? OTHER_SUFFIX_LENGTH : Math.max(...suffixes));
}

function lastIndex(replicaSpec: unknown): number {
  const replicas =
    typeof replicaSpec === 'object' && replicaSpec !== null && 'replicas' in replicaSpec ? replicaSpec.replicas : 1;
  return typeof replicas === 'number' ? Math.max(0, replicas - 1) : 0;
}
