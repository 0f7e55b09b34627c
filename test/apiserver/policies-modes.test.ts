import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadPolicy } from '../../src/policy/load.ts';
import type { Finished } from '../../tools/child-process.ts';
import { at } from '../../tools/json-at.ts';
import {
  causeOf,
  HINTS,
  MISREAD,
  refusalOf,
  UNJUDGEABLE,
  wouldDenyBecause,
  wouldDeny,
} from '../support/denial-wording.ts';
import { WEBHOOK_NAME } from './guarded-cluster.ts';
import { create, jobNamed, mergePatch, PYTORCH_JOB, TF_JOB } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';
import { startPolicedCluster, type PolicedCluster } from './policed-cluster.ts';

/** Without a scaleReplicasPath, so that something cannot be judged. */
const POLICY = `
apiVersion: jobguard/v1
kind: UpdatePolicy
mode: enforce
namespaceModes:
  - namespaces: ['sandbox-*', playground]
    mode: warn
  - namespaces: [legacy, 'sandbox-old']
    mode: audit
resources:
  - group: kubeflow.org
    resource: tfjobs
    podTemplates: [/spec/tfReplicaSpecs/*/template]
  - group: kubeflow.org
    resource: pytorchjobs
    podTemplates: [/spec/pytorchReplicaSpecs/*/template]
    scaleReplicasPath: null
presets:
  flyte: true
`;

const HASH = loadPolicy(POLICY).hash;

const ENFORCE = { namespace: 'prod', mode: 'enforce' } as const;
const WARN = { namespace: 'sandbox-old', mode: 'warn' } as const;
const AUDIT = { namespace: 'legacy', mode: 'audit' } as const;
const MODES = [ENFORCE, WARN, AUDIT] as const;

const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';
const FLYTE = 'system:serviceaccount:flyte:flytepropeller';

const CONTAINER = { name: 'tensorflow', image: 'train:v2', env: [{ name: 'TOKEN', value: 'another secret' }] };
const FORBIDDEN = {
  metadata: { labels: { team: 'a' } },
  spec: { tfReplicaSpecs: { Worker: { replicas: 4, template: { spec: { containers: [CONTAINER] } } } } },
};
const WORKER = 'spec.tfReplicaSpecs[Worker]';
const FORBIDDEN_PATHS = ['args', 'env/0/value', 'image', 'resources'].map(
  (field) => `/spec/tfReplicaSpecs/Worker/template/spec/containers/0/${field}`,
);
const WARNINGS = [
  `${WORKER}.replicas ${causeOf('2 → 4')}`,
  `${WORKER}.template.spec.containers[0].args ${causeOf('removed')}`,
  `${WORKER}.template.spec.containers[0].env[0].value ${causeOf('changed')}`,
  `${WORKER}.template.spec.containers[0].image ${causeOf('train:v1 → train:v2')}`,
  `${WORKER}.template.spec.containers[0].resources ${causeOf('removed')}`,
  wouldDeny(5),
];
const denial = (name: string): string =>
  `Error from server (Forbidden): admission webhook "${WEBHOOK_NAME}" denied the request: ` +
  `${refusalOf(`tfjobs.kubeflow.org "${name}"`)}: ${WORKER}.replicas (2 → 4), ` +
  `${WORKER}.template.spec.containers[0].args (removed), ` +
  `${WORKER}.template.spec.containers[0].env[0].value (changed), ` +
  `${WORKER}.template.spec.containers[0].image (train:v1 → train:v2), ` +
  `${WORKER}.template.spec.containers[0].resources (removed)`;

const DENY = {
  decision: 'deny',
  'denied-paths': JSON.stringify(['/spec/tfReplicaSpecs/Worker/replicas', ...FORBIDDEN_PATHS]),
  'denied-count': '5',
};

const ALLOWED = { metadata: { labels: { team: 'b' } } };
const RELEASED = { metadata: { finalizers: null } };
const STARTED = { spec: { runPolicy: { suspend: true } } };
const MISREAD_PATCH = { spec: { runPolicy: { cleanPodPolicy: 'Sometimes' } } };

const warned = (...warnings: readonly string[]): string => warnings.map((text) => `Warning: ${text}\n`).join('');

describeWithControlPlane('two namespaces in other modes than the rest', () => {
  let cluster: PolicedCluster;
  let jobs = 0;

  beforeAll(async () => {
    cluster = await startPolicedCluster();
    const namespaces = MODES.map(({ namespace }) => namespace);
    await cluster.guard(POLICY, namespaces);
  });
  afterAll(() => cluster.stop());

  async function jobIn(namespace: string, of = TF_JOB): Promise<{ name: string; path: string }> {
    jobs += 1;
    const name = `job-${jobs}`;
    const metadata = { namespace, finalizers: ['flyte.org/finalizer'] };
    return { name, path: await create(cluster, of, jobNamed(name, of, { metadata })) };
  }

  const kubectl = (namespace: string, args: readonly string[], as?: string): Promise<Finished> =>
    cluster.kubectl(['--namespace', namespace, ...args], as === undefined ? {} : { as });
  const patchOf = (name: string, patch: unknown): string[] => [
    ...['patch', 'tfjob', name, '--type=merge', '-p', JSON.stringify(patch)],
  ];
  const storedWorkers = async (path: string): Promise<unknown> =>
    at((await cluster.request('GET', path)).json, 'spec', 'tfReplicaSpecs', 'Worker', 'replicas');

  describe('kubectl prints of a forbidden update', () => {
    test('the denial, where it is enforced; nothing is stored', async () => {
      const { name, path } = await jobIn(ENFORCE.namespace);
      const { code, stdout, stderr } = await kubectl(ENFORCE.namespace, patchOf(name, FORBIDDEN));
      expect([code, stdout, stderr.slice(0, stderr.indexOf('; only'))]).toEqual([1, '', denial(name)]);
      expect(await storedWorkers(path)).toBe(2);
    });

    test('one warning a change, and how many, in mode warn; it is stored', async () => {
      const { name, path } = await jobIn(WARN.namespace);
      expect(await kubectl(WARN.namespace, patchOf(name, FORBIDDEN))).toEqual({
        code: 0,
        stdout: `tfjob.kubeflow.org/${name} patched\n`,
        stderr: warned(...WARNINGS),
      });
      expect(await storedWorkers(path)).toBe(4);
    });

    test('nothing, in mode audit; it is stored', async () => {
      const { name, path } = await jobIn(AUDIT.namespace);
      expect(await kubectl(AUDIT.namespace, patchOf(name, FORBIDDEN))).toEqual({
        code: 0,
        stdout: `tfjob.kubeflow.org/${name} patched\n`,
        stderr: '',
      });
      expect(await storedWorkers(path)).toBe(4);
    });
  });

  test('in mode warn a writer whom a preset knows reads how to be let through', async () => {
    const { name } = await jobIn(WARN.namespace);
    expect((await kubectl(WARN.namespace, patchOf(name, STARTED), KUEUE)).stderr).toBe(
      warned(`spec.runPolicy.suspend ${causeOf('unset → true')}`, wouldDeny(1), HINTS.kueue),
    );
  });

  describe.each(MODES)('in mode $mode', ({ namespace, mode }) => {
    const isEnforced = mode === 'enforce';

    test('a dry run is answered as the update would be, and stores nothing', async () => {
      const { name, path } = await jobIn(namespace);
      const { code, stderr } = await kubectl(namespace, [...patchOf(name, FORBIDDEN), '--dry-run=server']);
      const printed = { enforce: denial(name), warn: warned(...WARNINGS), audit: '' }[mode];
      expect([code, isEnforced ? stderr.slice(0, stderr.indexOf('; only')) : stderr]).toEqual([
        isEnforced ? 1 : 0,
        printed,
      ]);
      const answer = await mergePatch(cluster, `${path}?dryRun=All`, FORBIDDEN, 'alice');
      expect(await cluster.noted(answer)).toEqual({ ...DENY, mode, policy: HASH });
      expect(await storedWorkers(path)).toBe(2);
    });

    test.each<[string, string, unknown, number, Record<string, string>]>([
      ['a forbidden update', 'alice', FORBIDDEN, isEnforced ? 403 : 200, DENY],
      ['an allowed update', 'alice', ALLOWED, 200, { decision: 'allow' }],
      ['an update of nothing', 'alice', {}, 200, { decision: 'allow' }],
      ['an exempted update', FLYTE, RELEASED, 200, { decision: 'exempt', exemption: 'flyte' }],
    ])('the audit log notes of %s the verdict, the mode and the policy', async (_what, as, patch, status, expected) => {
      const { path } = await jobIn(namespace);
      const answer = await mergePatch(cluster, path, patch, as);
      expect(answer.status).toBe(status);
      expect(await cluster.noted(answer)).toEqual({ ...expected, mode, policy: HASH });
    });

    test('the audit log notes what could not be judged; only enforced it is refused', async () => {
      const { name, path } = await jobIn(namespace, PYTORCH_JOB);
      const answer = await mergePatch(cluster, `${path}/scale`, { spec: { replicas: 3 } }, 'alice');
      expect(answer.status).toBe(isEnforced ? 403 : 200);
      expect(await cluster.noted(answer)).toEqual({ decision: 'unjudgeable', mode, policy: HASH });

      const { stderr } = await kubectl(namespace, ['scale', 'pytorchjob', name, '--replicas=4']);
      expect(stderr).toBe(
        {
          enforce: `Error from server (Forbidden): admission webhook "${WEBHOOK_NAME}" denied the request: ${refusalOf(`pytorchjobs.kubeflow.org "${name}"`)}: ${UNJUDGEABLE.noScalePath}\n`,
          warn: warned(wouldDenyBecause(UNJUDGEABLE.noScalePath)),
          audit: '',
        }[mode],
      );
    });

    test('a value that the operator would misread is let through with a warning', async () => {
      const { name } = await jobIn(namespace);
      const finished = await kubectl(namespace, patchOf(name, MISREAD_PATCH));
      expect(finished).toMatchObject({
        code: 0,
        stderr: warned(`spec.runPolicy.cleanPodPolicy ${MISREAD.cleanPodPolicy}`),
      });
    });
  });
});
