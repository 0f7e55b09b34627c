import { parentPort } from 'node:worker_threads';
import { decide } from '../../src/core/decide.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';
import { NOW, policyWith, requestOf, type Review } from '../support/review.ts';

/** What is to be measured: judging one update by a policy, in so many namespaces by turns. */
export interface Workload {
  readonly policy: Partial<PolicyDocument>;
  readonly review: Review;
  readonly namespaces: number;
}

const ROUNDS = 500;
/** Short enough, at some 20 µs each, for a round to fit between two times that a busy machine takes the processor away. */
const TIMES = 20;

/** Returns the microseconds that judging once takes, for each workload: those of its fastest round. */
function measure(workloads: readonly Workload[]): number[] {
  const rounds = workloads.map(roundOf);
  const fastest = workloads.map(() => Infinity);
  // By turns, so that a machine that is busy for a while is so for all of them.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, run] of rounds.entries()) fastest[index] = Math.min(fastest[index] ?? Infinity, run());
  }
  return fastest;
}

function roundOf({ policy: fields, review, namespaces }: Workload): () => number {
  const policy = policyWith(fields);
  const request = requestOf(review);
  const requests = Array.from({ length: namespaces }, (_, index) =>
    index === 0
      ? request
      : { ...request, namespace: `${request.namespace}-${index}`, name: `${request.name}-${index}` },
  );
  let next = 0;
  return () => {
    // The thread's processor time would not do: Linux counts it in ticks of several milliseconds.
    const start = performance.now();
    for (let time = 0; time < TIMES; time += 1) decide(policy, requests[next++ % namespaces] ?? request, NOW);
    return (1000 * (performance.now() - start)) / TIMES;
  };
}

parentPort?.on('message', (workloads: Workload[]) => parentPort?.postMessage(measure(workloads)));
