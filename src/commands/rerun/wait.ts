import { setTimeout as delay } from 'node:timers/promises';

import { isMap, ownValue, type JsonMap, type JsonValue } from '../../core/json.ts';

/** What has become of a job: it runs or has run, it has failed or is gone, or neither in time. */
export type End = 'runs' | 'failed' | 'late';

export interface Waiting {
  readonly timeoutMs: number;
  /** Takes each state once, as people read it: `Created`, `Running`, `Failed (BackoffLimitExceeded)`. */
  readonly onState: (state: string) => void;
  /** A second, unless a test has less time. */
  readonly intervalMs?: number;
}

/** Reads a job again and again until it runs or fails; undefined is a job that is gone. */
export async function waitForJob(read: () => Promise<JsonMap | undefined>, waiting: Waiting): Promise<End> {
  const { timeoutMs, onState, intervalMs = 1_000 } = waiting;
  const deadline = Date.now() + timeoutMs;
  let last = '';
  for (;;) {
    const job = await read();
    const { state, text } = job === undefined ? { state: 'Deleted', text: 'Deleted' } : stateOf(job);
    if (text !== last) onState(text);
    last = text;
    const end = ENDS.get(state);
    if (end !== undefined) return end;
    if (Date.now() >= deadline) return 'late';
    await delay(intervalMs);
  }
}

/**
 * By the names of the known kinds' conditions and states. Sources: training-operator v1.9 pkg/apis/kubeflow.org/v1/
 * common_types.go; k8s.io/api batch/v1; jobset v1alpha2; trainer v1alpha1; ray-operator apis/ray/v1/rayjob_types.go.
 */
const ENDS: ReadonlyMap<string, End> = new Map([
  ...['Running', 'Succeeded', 'Complete', 'Completed', 'SuccessCriteriaMet', 'RUNNING', 'SUCCEEDED'].map(
    (state) => [state, 'runs'] as const,
  ),
  ...['Failed', 'FailureTarget', 'FAILED', 'STOPPED', 'Deleted'].map((state) => [state, 'failed'] as const),
]);

interface State {
  readonly state: string;
  readonly text: string;
}

/** Returns the last condition that holds; some kinds have none for a job that runs. */
function stateOf(job: JsonMap): State {
  const status = mapOf(ownValue(job, 'status'));
  const conditions = ownValue(status, 'conditions');
  const holding = (Array.isArray(conditions) ? conditions : []).map(mapOf).filter((each) => each['status'] === 'True');
  const last = holding.at(-1);
  if (last !== undefined) return named(last['type'], last['reason']);
  const { jobStatus, active } = status;
  if (typeof jobStatus === 'string' && jobStatus !== '') return named(jobStatus, undefined);
  return named(typeof active === 'number' && active > 0 ? 'Running' : 'Waiting', undefined);
}

function named(type: JsonValue | undefined, reason: JsonValue | undefined): State {
  const state = typeof type === 'string' ? type : 'Unknown';
  return { state, text: typeof reason === 'string' && ENDS.get(state) === 'failed' ? `${state} (${reason})` : state };
}

function mapOf(value: JsonValue | undefined): JsonMap {
  return isMap(value) ? value : {};
}
