import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Generation } from '../../tools/kubernetes/crds.ts';
import { at } from '../../tools/json-at.ts';
import { causeOf } from '../support/denial-wording.ts';
import { startGuardedCluster, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, PYTORCH_JOB, TF_JOB, workers, type JobKind } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

/** Where a generation keeps the three fields that say how a job ends; `elsewhere` is where it has no such fields. */
const PLACES: { generation: Generation; place: string[]; elsewhere: string[] | undefined }[] = [
  { generation: 'first generation', place: ['spec'], elsewhere: undefined },
  { generation: 'training-operator 1.8', place: ['spec', 'runPolicy'], elsewhere: ['spec'] },
  { generation: 'training-operator 1.9', place: ['spec', 'runPolicy'], elsewhere: ['spec'] },
];

const KINDS = [TF_JOB, PYTORCH_JOB];

/** A field below `metadata`, or below a generation's place, with a value to set and one to change it to. */
const METADATA_FIELDS: [string, unknown, unknown][] = [
  ['labels', { team: 'a' }, { team: 'b' }],
  ['annotations', { note: 'a' }, { note: 'b' }],
];
const SPEC_FIELDS: [string, unknown, unknown][] = [
  ['activeDeadlineSeconds', 3600, 7200],
  ['ttlSecondsAfterFinished', 60, 120],
  ['cleanPodPolicy', 'None', 'All'],
];

describeWithControlPlane.each(PLACES)('$generation', ({ generation, place, elsewhere }) => {
  let cluster: GuardedCluster;
  let jobs = 0;

  beforeAll(async () => {
    cluster = await startGuardedCluster(generation);
  });
  afterAll(() => cluster.stop());

  const newJob = (of: JobKind): Promise<string> => {
    jobs += 1;
    return create(cluster, of, jobNamed(`job-${jobs}`, of));
  };

  describe.each(KINDS)('$kind', (of) => {
    test.each([
      ...METADATA_FIELDS.map(([field, first, second]) => ({ path: ['metadata', field], first, second })),
      ...SPEC_FIELDS.map(([field, first, second]) => ({ path: [...place, field], first, second })),
    ])('$path may be set, changed and removed', async ({ path, first, second }) => {
      const job = await newJob(of);
      for (const [sent, stored] of [
        [first, first],
        [second, second],
        [null, undefined],
      ]) {
        const answer = await mergePatch(cluster, job, nested(path, sent));
        expect({ status: answer.status, stored: at(answer.json, ...path) }).toEqual({ status: 200, stored });
      }
    });

    test('all of them may change in one request', async () => {
      const fields = Object.fromEntries(SPEC_FIELDS.map(([field, value]) => [field, value]));
      const answer = await mergePatch(cluster, await newJob(of), {
        metadata: { labels: { team: 'a' }, annotations: { note: 'a' } },
        ...nested(place, fields),
      });
      expect(answer.status).toBe(200);
      expect(at(answer.json, ...place)).toMatchObject(fields);
    });

    test('a field of the same place that is none of the five is refused, by name', async () => {
      const path = [...place, 'backoffLimit'];
      const answer = await mergePatch(cluster, await newJob(of), nested(path, 3));
      expect([answer.status, at(answer.json, 'details', 'causes')]).toEqual([
        403,
        [{ reason: 'FieldValueForbidden', message: causeOf('unset → 3'), field: path.join('.') }],
      ]);
    });

    test('the replicas are refused, and stay', async () => {
      const job = await newJob(of);
      const answer = await mergePatch(cluster, job, workers(of, 4));
      const stored = await cluster.request('GET', job);
      expect([answer.status, at(stored.json, 'spec', of.replicaSpecs, 'Worker', 'replicas')]).toEqual([403, 2]);
    });

    if (elsewhere === undefined) return;
    test('a field at the place of another generation is pruned, and not refused', async () => {
      const path = [...elsewhere, 'activeDeadlineSeconds'];
      const answer = await mergePatch(cluster, await newJob(of), nested(path, 3600));
      expect([answer.status, at(answer.json, ...path)]).toEqual([200, undefined]);
    });
  });
});

/** `nested(['spec', 'x'], 1)` is `{ spec: { x: 1 } }`. */
function nested(path: readonly string[], value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path;
  return { [first]: rest.length === 0 ? value : nested(rest, value) };
}
