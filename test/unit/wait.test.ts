import { expect, test } from '@jest/globals';

import { waitForJob, type End } from '../../src/commands/rerun/wait.ts';
import type { JsonMap } from '../../src/core/json.ts';

const condition = (type: string, reason = 'x', status = 'True'): JsonMap => ({ type, status, reason });
const of = (...conditions: readonly JsonMap[]): JsonMap => ({ status: { conditions: [...conditions] } });

/** Follows a job through some states; undefined is a job that is gone. It stays as it is last. */
async function follow(
  jobs: readonly (JsonMap | undefined)[],
  timeoutMs = 60_000,
): Promise<{ end: End; states: readonly string[] }> {
  const states: string[] = [];
  let read = 0;
  const end = await waitForJob(() => Promise.resolve(jobs[Math.min(read++, jobs.length - 1)]), {
    timeoutMs,
    onState: (state) => states.push(state),
    intervalMs: 0,
  });
  return { end, states };
}

test.each<[string, readonly (JsonMap | undefined)[], End, readonly string[]]>([
  [
    'runs',
    [{}, of(condition('Created')), of(condition('Created')), of(condition('Created'), condition('Running'))],
    'runs',
    ['Waiting', 'Created', 'Running'],
  ],
  ['is queued first', [of(condition('Suspended')), { status: { active: 2 } }], 'runs', ['Suspended', 'Running']],
  ['has run already', [of(condition('Running', 'x', 'False'), condition('Succeeded'))], 'runs', ['Succeeded']],
  ['has a state and no conditions', [{ status: { jobStatus: 'RUNNING' } }], 'runs', ['RUNNING']],
  ['fails', [of(condition('Failed', 'BackoffLimitExceeded'))], 'failed', ['Failed (BackoffLimitExceeded)']],
  ['is deleted', [of(condition('Created')), undefined], 'failed', ['Created', 'Deleted']],
])('a job that %s is followed to there', async (_what, jobs, end, states) => {
  expect(await follow(jobs)).toEqual({ end, states });
});

test('a job that does not begin is followed until the time is over', async () => {
  expect(await follow([of(condition('Created'))], 0)).toEqual({ end: 'late', states: ['Created'] });
});
