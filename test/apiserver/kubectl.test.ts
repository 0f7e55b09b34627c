import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Finished } from '../../tools/child-process.ts';
import { at } from '../../tools/json-at.ts';
import { denialOf, wayOutIn, wayOutOf } from '../support/denial-wording.ts';
import { startGuardedCluster, WEBHOOK_NAME, type GuardedCluster } from './guarded-cluster.ts';
import { create, jobNamed, PYTORCH_JOB, TF_JOB } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

/** What kubectl says of a denial, by the field manager of the command. */
const denial =
  (subject: string, job: string, ...refused: string[]) =>
  (fieldManager?: string): string => {
    const wayOut = fieldManager === undefined ? wayOutIn('default', job) : wayOutOf(fieldManager, 'default', job);
    return `admission webhook "${WEBHOOK_NAME}" denied the request: ${denialOf(subject, refused, { wayOut })}`;
  };

const imageChange = (type: string): string =>
  `spec.tfReplicaSpecs[${type}].template.spec.containers[0].image (train:v1 → train:v2)`;
const REFUSED_IMAGES = denial('tfjobs.kubeflow.org "mnist"', 'tfjob/mnist', imageChange('PS'), imageChange('Worker'));
const REFUSED_TF_WORKERS = denial(
  'tfjobs.kubeflow.org "mnist"',
  'tfjob/mnist',
  'spec.tfReplicaSpecs[Worker].replicas (2 → 4)',
);
const REFUSED_PYTORCH_WORKERS = denial(
  'pytorchjobs.kubeflow.org "bert"',
  'pytorchjob/bert',
  'spec.pytorchReplicaSpecs[Worker].replicas (2 → 4)',
);

const manifest = (label: string, image: string): string =>
  JSON.stringify(jobNamed('mnist', TF_JOB, { metadata: { labels: { team: label } } })).replaceAll('train:v1', image);

const succeeded = (stdout: string): Finished => ({ code: 0, stdout: `${stdout}\n`, stderr: '' });
const failed = (stderr: string): Finished => ({ code: 1, stdout: '', stderr: `${stderr}\n` });
const forbidden = (message: string): Finished => failed(`Error from server (Forbidden): ${message}`);

describeWithControlPlane('kubectl', () => {
  let cluster: GuardedCluster;
  let uid: unknown;

  const mnist = (): Promise<unknown> => stored('tfjobs', 'mnist');
  const stored = async (plural: string, name: string): Promise<unknown> =>
    (await cluster.request('GET', `/apis/kubeflow.org/v1/namespaces/default/${plural}/${name}`)).json;

  beforeAll(async () => {
    cluster = await startGuardedCluster('training-operator 1.9');
    const applied = await cluster.kubectl(['apply', '-f', '-'], { stdin: manifest('a', 'train:v1') });
    expect(applied).toEqual(succeeded('tfjob.kubeflow.org/mnist created'));
    await create(cluster, PYTORCH_JOB, jobNamed('bert', PYTORCH_JOB));
    uid = at(await mnist(), 'metadata', 'uid');
  });
  afterAll(() => cluster.stop());

  test.each<[command: string, stdin: string, label: string, says: string]>([
    ['apply -f -', manifest('b', 'train:v1'), 'b', 'configured'],
    ['apply --server-side --force-conflicts -f -', manifest('c', 'train:v1'), 'c', 'serverside-applied'],
    ['replace -f -', manifest('d', 'train:v1'), 'd', 'replaced'],
    ['label --overwrite tfjob mnist team=e', '', 'e', 'labeled'],
    ['patch tfjob mnist --type=merge -p {"metadata":{"labels":{"team":"f"}}}', '', 'f', 'patched'],
  ])('%s changes a label', async (command, stdin, label, says) => {
    const finished = await cluster.kubectl(command.split(' '), { stdin });
    expect(finished).toEqual(succeeded(`tfjob.kubeflow.org/mnist ${says}`));
    expect(at(await mnist(), 'metadata', 'labels')).toEqual({ team: label });
  });

  test('annotate sets and removes an annotation', async () => {
    const set = await cluster.kubectl(['annotate', 'tfjob', 'mnist', 'note=a']);
    const noted = at(await mnist(), 'metadata', 'annotations', 'note');
    const removed = await cluster.kubectl(['annotate', 'tfjob', 'mnist', 'note-']);
    expect([set, noted, removed]).toEqual([
      succeeded('tfjob.kubeflow.org/mnist annotated'),
      'a',
      succeeded('tfjob.kubeflow.org/mnist annotated'),
    ]);
  });

  test('edit changes a label', async () => {
    await cluster.kubectl(['label', '--overwrite', 'tfjob', 'mnist', 'team=before']);
    const finished = await cluster.kubectl(['edit', 'tfjob', 'mnist'], {
      env: { KUBE_EDITOR: 'sed -i.bak s/before/after/' },
    });
    expect(finished).toEqual(succeeded('tfjob.kubeflow.org/mnist edited'));
    expect(at(await mnist(), 'metadata', 'labels')).toEqual({ team: 'after' });
  });

  describe('says what was refused', () => {
    test('apply --server-side', async () => {
      const args = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
      const finished = await cluster.kubectl(args, { stdin: manifest('a', 'train:v2') });
      expect(finished).toEqual(forbidden(REFUSED_IMAGES('kubectl')));
    });

    test('replace', async () => {
      const finished = await cluster.kubectl(['replace', '-f', '-'], { stdin: manifest('a', 'train:v2') });
      expect(finished).toEqual(forbidden(`error when replacing "STDIN": ${REFUSED_IMAGES('kubectl-replace')}`));
    });

    test('patch', async () => {
      const patch = '{"spec":{"tfReplicaSpecs":{"Worker":{"replicas":4}}}}';
      const finished = await cluster.kubectl(['patch', 'tfjob', 'mnist', '--type=merge', '-p', patch]);
      expect(finished).toEqual(forbidden(REFUSED_TF_WORKERS()));
    });

    test('edit, which keeps the edited file', async () => {
      const finished = await cluster.kubectl(['edit', 'tfjob', 'mnist'], {
        env: { KUBE_EDITOR: String.raw`sed -i.bak 's/replicas: 2/replicas: 4/'` },
      });
      const [error, advice] = finished.stderr.split('\n');
      expect([finished.code, error, advice]).toEqual([
        1,
        `error: tfjobs.kubeflow.org "mnist" could not be patched: ${REFUSED_TF_WORKERS('kubectl-edit')}`,
        expect.stringMatching(/^You can run `kubectl replace -f \S+` to try this update again\.$/),
      ]);
    });

    test.each([
      'scale pytorchjob bert --replicas=4',
      'patch pytorchjob bert --subresource=scale --type=merge -p {"spec":{"replicas":4}}',
    ])('%s', async (command) => {
      expect(await cluster.kubectl(command.split(' '))).toEqual(forbidden(REFUSED_PYTORCH_WORKERS()));
      expect(at(await stored('pytorchjobs', 'bert'), 'spec', 'pytorchReplicaSpecs', 'Worker', 'replicas')).toBe(2);
    });
  });

  test.each(['apply -f -', 'apply --force -f -'])('%s neither changes nor recreates the job', async (command) => {
    const finished = await cluster.kubectl(command.split(' '), { stdin: manifest('a', 'train:v2') });
    const says = expect.stringContaining(REFUSED_IMAGES('kubectl-client-side-apply'));
    expect(finished).toEqual({ code: 1, stdout: '', stderr: says });
    expect(at(await mnist(), 'metadata')).toMatchObject({ uid, generation: 1 });
  });

  test('scale to the replicas that there are is no change', async () => {
    const finished = await cluster.kubectl(['scale', 'pytorchjob', 'bert', '--replicas=2']);
    expect(finished).toEqual(succeeded('pytorchjob.kubeflow.org/bert scaled'));
  });
});
