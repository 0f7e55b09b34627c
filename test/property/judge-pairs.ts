import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Result, Run } from './judged-pairs.ts';

const GUARDED = ['small TFJob', 'known TFJob', 'known PyTorchJob', 'rich PyTorchJob'] as const;

/** The jobs from which the pairs of each policy are made up. */
export const JOBS: Readonly<Record<Run['policy'], Run['jobs']>> = {
  default: GUARDED,
  presets: [...GUARDED, 'MPIJob', 'PaddleJob', 'JAXJob', 'XGBoostJob'],
  own: [...GUARDED, 'MPIJob', 'TrainJob'],
};

/** Judges made-up pairs with both judges, in a worker thread of their own. */
export async function judgePairs(run: Run): Promise<Result> {
  const worker = new Worker(new URL('./judged-pairs.ts', import.meta.url), { workerData: run });
  const message: unknown[] = await once(worker, 'message');
  await worker.terminate();
  return message[0] as Result;
}

/** Says how often each outcome was seen for a mutated job: `41.2 % allow, 55.9 % deny, …`. */
export function outcomeShares(pairs: number, seen: Result['seen']): string {
  const outcomes = ['allow', 'deny', 'exempt', 'unjudgeable', 'out_of_scope'];
  return outcomes
    .map((outcome) => `${Math.round((1000 * (seen.get(outcome) ?? 0)) / pairs) / 10} % ${outcome}`)
    .join(', ');
}
