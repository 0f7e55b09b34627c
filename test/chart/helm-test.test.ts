import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Finished } from '../../tools/child-process.ts';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { renderObjects } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { startLocalRelease } from '../../tools/local-release.ts';
import { CONTROL_PLANE_TIMEOUT_MS, describeChart, MANY_PROGRAMS_TIMEOUT_MS } from './layer.ts';

const NAMESPACE = 'default';

describeChart('what the pod of helm test runs, with the rights of its account', () => {
  let cluster: ControlPlane;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-helm-test-'));
    cluster = await startControlPlane('training-operator 1.9');
  }, CONTROL_PLANE_TIMEOUT_MS);
  afterAll(async () => {
    await cluster.stop();
    await rm(folder, { recursive: true });
  }, CONTROL_PLANE_TIMEOUT_MS);

  /** Creates the hooks of a release but for the pod, and runs the pod's command as its container would. */
  async function helmTest(policy: object = {}): Promise<Finished> {
    const objects = await renderObjects({ namespace: NAMESPACE, values: { policy } });
    const items = objects.filter(({ kind, metadata }) => metadata.name === 'jobguard-test' && kind !== 'Pod');
    const applied = await cluster.kubectl(['apply', '--filename=-'], {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
    expect(applied).toMatchObject({ code: 0 });
    const data = at(
      items.find(({ kind }) => kind === 'ConfigMap'),
      'data',
    );
    const plan = String(at(data, 'test.json')).replace('"patienceSeconds": 30', '"patienceSeconds": 2');
    await writeFile(join(folder, 'test.json'), plan);
    await writeFile(join(folder, 'forbidden-update.mjs'), String(at(data, 'forbidden-update.mjs')));
    return run(process.execPath, [join(folder, 'forbidden-update.mjs')], { env: await podEnvironment() });
  }

  /** What the kubelet would put into the pod. */
  async function podEnvironment(): Promise<Record<string, string>> {
    const token = await cluster.kubectl(['create', 'token', 'jobguard-test', `--namespace=${NAMESPACE}`]);
    await writeFile(join(folder, 'token'), token.stdout.trim());
    const { stdout } = await cluster.kubectl(['config', 'view', '--raw', '--flatten', '--output=json']);
    const server = at(JSON.parse(stdout), 'clusters', 0, 'cluster');
    await writeFile(join(folder, 'ca.crt'), Buffer.from(String(at(server, 'certificate-authority-data')), 'base64'));
    const { hostname, port } = new URL(String(at(server, 'server')));
    return {
      SERVICE_ACCOUNT: folder,
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt'),
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
    };
  }

  const jobsLeft = async (): Promise<string[]> => {
    const { stdout } = await cluster.kubectl(['get', 'tfjobs', `--namespace=${NAMESPACE}`, '--output=name']);
    return stdout.split('\n').filter((name) => name.includes('jobguard-test'));
  };

  test.each([
    ['enforce', { mode: 'enforce' }, 'mode enforce: 403 admission webhook "jobs.jobguard.dev" denied the request'],
    ['warn', { mode: 'warn' }, 'mode warn: 200 299 - "'],
    ['audit', { mode: 'audit' }, 'mode audit: 200 299 - "spec.runPolicy.cleanPodPolicy is not None'],
    [
      'enforce, elsewhere audit',
      { mode: 'enforce', namespaceModes: [{ namespaces: ['def*'], mode: 'audit' }] },
      'mode audit: 200 299 - "',
    ],
    [
      'audit, where the policy allows no field below spec',
      { mode: 'audit', allow: ['/metadata/labels'] },
      'mode audit: 200 299 - "spec.runPolicy.cleanPodPolicy is not None',
    ],
    ['enforce, where suspended jobs may be edited', { suspendedJobs: true }, 'metadata.finalizers (added)'],
  ])(
    'mode %s: ends well, and leaves no job',
    async (_mode, policy, outcome) => {
      await using release = await startLocalRelease(cluster, { values: { policy } });
      const { code, stdout, stderr } = await helmTest(policy);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expect.stringContaining(outcome), stderr: '' });
      expect(stdout).toMatch(/update of a label: 200 \njobguard (guards this cluster|watches this cluster: .*)\n$/);
      const logged = release.jobguard
        .stderr()
        .split('\n')
        .find((line) => line.includes('jobguard-test-'));
      expect(logged).toContain('"decision":"deny"');
      expect(await jobsLeft()).toEqual([]);
    },
    MANY_PROGRAMS_TIMEOUT_MS,
  );

  test(
    'with every replica down: ends badly, and leaves no job',
    async () => {
      const { code, stdout } = await helmTest();
      expect([code, stdout]).toEqual([
        1,
        expect.stringContaining('500 Internal error occurred: failed calling webhook'),
      ]);
      expect(stdout).toMatch(/jobguard does NOT guard this cluster\n$/);
      expect(await jobsLeft()).toEqual([]);
    },
    MANY_PROGRAMS_TIMEOUT_MS,
  );

  test.each(['enforce', 'warn', 'audit'])(
    'mode %s, with no webhook registered: ends badly, and leaves no job',
    async (mode) => {
      await cluster.kubectl(['delete', 'validatingwebhookconfigurations', '--all']);
      const { code, stdout } = await helmTest({ mode });
      expect({ code, stdout }).toEqual({
        code: 1,
        stdout: expect.stringMatching(/mode \w+: 200 \n[^]*\njobguard does NOT guard this cluster\n$/),
      });
      expect(await jobsLeft()).toEqual([]);
    },
    MANY_PROGRAMS_TIMEOUT_MS,
  );

  test(
    "without the operator's kinds: says what is missing",
    async () => {
      await cluster.kubectl(['delete', 'customresourcedefinition', 'tfjobs.kubeflow.org']);
      const { code, stderr } = await helmTest();
      expect([code, stderr]).toEqual([1, expect.stringContaining('install the training operator first')]);
    },
    MANY_PROGRAMS_TIMEOUT_MS,
  );
});
