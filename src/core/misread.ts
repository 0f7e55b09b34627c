import type { Change } from './diff.ts';
import { isExactNumber, type JsonValue } from './json.ts';
import type { Path, Segment } from './path.ts';

/** A value that the operator would take for something else, without a word. */
interface Misreading {
  readonly isMisread: (value: JsonValue) => boolean;
  readonly warning: string;
}

/** Source: training-operator v1.9.4 pkg/core/job.go (deadline), pkg/controller.v1/common/job.go (TTL, clean-up). */
const CLEAN_POD_POLICY: Misreading = {
  isMisread: (value) => typeof value !== 'string' || !['None', 'Running', 'All', ''].includes(value),
  warning: 'is not None, Running or All; the operator treats any other value as All',
};
const SECONDS: Misreading = {
  isMisread: (value) => !isWholeSeconds(value),
  warning: 'is not a whole number of seconds, 0 or more; the operator cannot use it',
};

/** By the name that a field has in `spec` and in `spec.runPolicy`. */
const MISREADINGS: ReadonlyMap<Segment | undefined, Misreading> = new Map([
  ['cleanPodPolicy', CLEAN_POD_POLICY],
  ['activeDeadlineSeconds', SECONDS],
  ['ttlSecondsAfterFinished', SECONDS],
]);

/** Returns what to warn of where a change sets one of the three fields to a value that the operator misreads. */
export function misreading({ path, newValue }: Change): string | undefined {
  if (!isInSpecOrRunPolicy(path) || newValue === undefined || newValue === null) return undefined;
  const known = MISREADINGS.get(path.at(-1));
  return known?.isMisread(newValue) === true ? known.warning : undefined;
}

function isInSpecOrRunPolicy(path: Path): boolean {
  return path[0] === 'spec' && (path.length === 2 || (path.length === 3 && path[1] === 'runPolicy'));
}

function isWholeSeconds(value: JsonValue): boolean {
  // Past 15 digits no API server takes it for the int64 that it should be, unless it is a whole number.
  if (isExactNumber(value)) return /^\d+$/.test(value.source);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
