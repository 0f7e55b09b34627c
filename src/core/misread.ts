import type { Change } from './diff.ts';
import { ExactNumber, type JsonValue } from './json.ts';
import { pointer } from './path.ts';

/** A value that the operator would take for something else, without a word. */
interface Misreading {
  readonly isMisread: (value: JsonValue) => boolean;
  readonly warning: string;
}

/** Source: training-operator v1.9.4 pkg/core/job.go (deadline), pkg/controller.v1/common/job.go (TTL, clean-up). */
const CLEAN_POD_POLICY: Misreading = {
  isMisread: (value) => typeof value !== 'string' || !['None', 'Running', 'All', ''].includes(value),
  warning: 'is not None, Running or All; the operator takes any other value for All',
};
const SECONDS: Misreading = {
  isMisread: (value) => !isWholeSeconds(value),
  warning: 'is not a whole number of seconds, 0 or more; the operator cannot use it as such',
};

const MISREADINGS: ReadonlyMap<string, Misreading> = new Map(
  ['/spec', '/spec/runPolicy'].flatMap((place): [string, Misreading][] => [
    [`${place}/cleanPodPolicy`, CLEAN_POD_POLICY],
    [`${place}/activeDeadlineSeconds`, SECONDS],
    [`${place}/ttlSecondsAfterFinished`, SECONDS],
  ]),
);

/** Returns what to warn of where a change sets one of the five fields to a value that the operator misreads. */
export function misreading({ path, newValue }: Change): string | undefined {
  // Most changes are elsewhere, and need no pointer to be made.
  if (path[0] !== 'spec' || path.length > 3) return undefined;
  const known = MISREADINGS.get(pointer(path));
  if (known === undefined || newValue === undefined || newValue === null) return undefined;
  return known.isMisread(newValue) ? known.warning : undefined;
}

function isWholeSeconds(value: JsonValue): boolean {
  // Past 15 digits no API server takes it for the int64 that it should be, unless it is a whole number.
  if (value instanceof ExactNumber) return /^\d+$/.test(value.source);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
