import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
import { at } from '../../tools/json-at.ts';
import { zeroFields } from './go-zeroes.ts';
import { startGuardedCluster, type GuardedCluster } from './guarded-cluster.ts';
import { collection, jobNamed, PYTORCH_JOB, TF_JOB, type JobKind } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

/** What Go writes otherwise than it read it: quantities, zeroes, empty structs, lists and maps. */
const SPELLINGS = {
  spec: {
    containers: [
      {
        name: 'main',
        image: 'train:v1',
        command: [],
        env: [{ name: 'EMPTY', value: '' }],
        ports: [{ containerPort: 2222, hostPort: 0, name: '' }],
        resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: '0.5', memory: '0.5Gi' } },
        securityContext: { allowPrivilegeEscalation: false, runAsUser: 0 },
        stdin: false,
        volumeMounts: [{ name: 'scratch', mountPath: '/scratch', readOnly: false }],
      },
      { name: 'bare', image: 'train:v1' },
    ],
    hostNetwork: false,
    nodeSelector: {},
    securityContext: {},
    serviceAccountName: '',
    terminationGracePeriodSeconds: 0,
    tolerations: [],
    volumes: [
      { name: 'scratch', emptyDir: { medium: '', sizeLimit: '1024Mi' } },
      { name: 'other', emptyDir: {} },
    ],
  },
};

const GO_BUILD_TIMEOUT_MS = 600_000;

let folder: string;
let roundTripProgram: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobguard-roundtrip-'));
  roundTripProgram = join(folder, 'roundtrip');
  const program = join(import.meta.dirname, '../../tools/go-types');
  const args = ['build', '-C', program, '-o', roundTripProgram, './roundtrip'];
  const built = await run('go', args, { timeoutMs: GO_BUILD_TIMEOUT_MS });
  expect(built).toEqual({ code: 0, stdout: '', stderr: expect.any(String) });
}, GO_BUILD_TIMEOUT_MS);
afterAll(() => rm(folder, { recursive: true }));

/** Reads jobs, given and returned as one line each, through the operator's Go types. */
async function roundTrips({ kind }: JobKind, jobs: readonly string[]): Promise<string[]> {
  const finished = await run(roundTripProgram, ['--lines', kind], { stdin: jobs.map((job) => `${job}\n`).join('') });
  expect({ ...finished, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
  return finished.stdout.trimEnd().split('\n');
}

const documented = async (file: string): Promise<unknown> => {
  const text = await readFile(join(import.meta.dirname, '../../examples/jobs', file), 'utf8');
  const job: unknown = JSON.parse(text);
  return at(job, 'spec');
};

const outcome = (answer: Answer): unknown => ({
  status: answer.status,
  refused: at(answer.json, 'details', 'causes', 0, 'field'),
});
const ALLOWED = { status: 200, refused: undefined };

describeWithControlPlane.each(['first generation', 'training-operator 1.9'] as const)(
  'what Go read and put back, %s',
  (generation) => {
    let cluster: GuardedCluster;

    beforeAll(async () => {
      cluster = await startGuardedCluster(generation);
    });
    afterAll(() => cluster.stop());

    /** Creates a job, and returns it as a client reads it. */
    const created = async (of: JobKind, name: string, spec: unknown): Promise<string> => {
      const body = { apiVersion: 'kubeflow.org/v1', kind: of.kind, metadata: { name }, spec };
      const answer = await cluster.request('POST', collection(of), { body });
      expect(answer).toMatchObject({ status: 201 });
      return answer.text.trim();
    };

    const putBack = async (of: JobKind, name: string, spec: unknown): Promise<unknown> => {
      const [job = ''] = await roundTrips(of, [await created(of, name, spec)]);
      return outcome(await cluster.request('PUT', `${collection(of)}/${name}`, { body: job }));
    };

    test('the documented PyTorchJob is unchanged', async () => {
      expect(await putBack(PYTORCH_JOB, 'documented', await documented('pytorchjob.json'))).toEqual(ALLOWED);
    });

    test('the documented TFJob is unchanged, but for a field that the Go types of today have elsewhere', async () => {
      // The CRD of 1.9 prunes spec.backoffLimit at once, so that there is nothing to lose.
      const expected = generation === 'first generation' ? { status: 403, refused: 'spec.backoffLimit' } : ALLOWED;
      expect(await putBack(TF_JOB, 'documented', await documented('tfjob.json'))).toEqual(expected);
    });

    test.each([TF_JOB, PYTORCH_JOB])('a $kind with every spelling that Go knows better is unchanged', async (of) => {
      const worker = { replicas: 1, restartPolicy: '', template: SPELLINGS };
      const spec = { runPolicy: {}, [of.replicaSpecs]: { [of.firstReplica]: worker, Worker: worker } };
      expect(await putBack(of, 'spellings', spec)).toEqual(ALLOWED);
    });

    test.each([TF_JOB, PYTORCH_JOB])('a $kind with a label that Go added is changed in that only', async (of) => {
      const [job = ''] = await roundTrips(of, [await created(of, 'labelled', jobNamed('labelled', of).spec)]);
      const labelled = job.replace('"metadata":{', '"metadata":{"labels":{"team":"a"},');
      const answer = await cluster.request('PUT', `${collection(of)}/labelled`, { body: labelled });
      expect([answer.status, at(answer.json, 'metadata', 'labels')]).toEqual([200, { team: 'a' }]);
    });

    if (generation !== 'first generation') return; // Later generations take no field that is empty where it must not be.
    describe('each field present at its zero', () => {
      test.each([
        { of: TF_JOB, exceptions: [] },
        // Empty lists make the operator create an autoscaler, or panic. Absent ones, as Go writes them, do neither.
        {
          of: PYTORCH_JOB,
          exceptions: ['metrics', 'rdzvConf'].map((field) => `kubeflow.org/v1.ElasticPolicy.${field}`),
        },
      ])('leaves a $of.kind unchanged', async ({ of, exceptions }) => {
        const fields = zeroFields(`kubeflow.org/v1.${of.kind}Spec`);
        const stored: string[] = [];
        for (const [index, { value }] of fields.entries()) {
          stored.push(await created(of, `zero-${index}`, value));
        }
        const jobs = await roundTrips(of, stored);
        const refused: unknown[] = [];
        for (const [index, { field }] of fields.entries()) {
          const answer = await cluster.request('PUT', `${collection(of)}/zero-${index}`, { body: jobs[index] ?? '' });
          if (answer.status !== 200) refused.push(field);
        }
        expect(fields.length).toBeGreaterThan(400);
        expect(refused).toEqual(exceptions);
      });
    });
  },
);
