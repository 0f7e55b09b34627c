import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { foreignCrdFiles } from '../support/foreign-crds.ts';
import { manifests, objectOf, renderObjects, renderText } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { kubeconform, writeSchemas } from './kubeconform.ts';
import { CONTROL_PLANE_TIMEOUT_MS, describeChart } from './layer.ts';
import { VALUES_FILES } from './values-files.ts';

const NAMESPACES = ['jobguard', 'training-guard-system'];

/** The pod that a template makes, in a namespace that takes none but restricted ones. */
const podOf = (template: unknown, name: string): unknown => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'restricted' },
  spec: at(template, 'spec'),
});

describeChart('on a real API server', () => {
  let cluster: ControlPlane;
  let schemas: string;

  const namespace = (name: string, labels = {}): unknown => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels },
  });

  beforeAll(async () => {
    schemas = await mkdtemp(join(tmpdir(), 'jobguard-schemas-'));
    cluster = await startControlPlane('training-operator 1.9');
    for (const name of NAMESPACES) await cluster.request('POST', '/api/v1/namespaces', { body: namespace(name) });
    const crds = await foreignCrdFiles();
    const applied = await cluster.kubectl(['apply', '--server-side', ...crds.map((file) => `--filename=${file}`)]);
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    const objects = await Promise.all(VALUES_FILES.map(([, valuesFile]) => renderObjects({ valuesFile })));
    await writeSchemas(schemas, cluster, objects.flat());
  }, CONTROL_PLANE_TIMEOUT_MS);
  afterAll(async () => {
    await cluster.stop();
    await rm(schemas, { recursive: true });
  }, CONTROL_PLANE_TIMEOUT_MS);

  const dryRun = (yaml: string): ReturnType<ControlPlane['kubectl']> =>
    cluster.kubectl(
      [
        ...['apply', '--server-side', '--dry-run=server', '--validate=strict', '--field-manager=helm'],
        ...['--filename=-', '--output=json'],
      ],
      { stdin: yaml },
    );

  test.each(VALUES_FILES)(
    'the values %s: every object, hooks included, has the published shape',
    async (_name, file) => {
      const text = await renderText({ valuesFile: file });
      const objects = manifests(text);
      const { stdout } = await kubeconform(schemas, text);
      expect(stdout).toContain(
        `Summary: ${objects.length} resources found parsing stdin - Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`,
      );
    },
  );

  test('a field that no schema knows is found', async () => {
    const text = (await renderText()).replace('revisionHistoryLimit', 'revisionHistoryLimits');
    const { stdout } = await kubeconform(schemas, text);
    expect(stdout).toMatch(/Deployment jobguard is invalid: .*'revisionHistoryLimits' not allowed/);
  });

  test.each(VALUES_FILES)('the values %s: every object, hooks included, is accepted as it is', async (_name, file) => {
    const text = await renderText({ valuesFile: file });
    const { code, stdout, stderr } = await dryRun(text);
    expect([code, stderr]).toEqual([0, '']);
    expect(at(JSON.parse(stdout), 'items')).toHaveLength(manifests(text).length);
  });

  test.each(['self-managed', 'cert-manager', 'existing-secret'])(
    'the plain manifests in deploy/%s are accepted as they are',
    async (flavour) => {
      const folder = join(import.meta.dirname, '../../deploy', flavour);
      const { code, stderr } = await cluster.kubectl([
        ...['apply', '--server-side', '--dry-run=server', '--validate=strict', '--kustomize', folder],
      ]);
      expect([code, stderr]).toEqual([0, '']);
    },
  );

  test('names as long as helm lets them be are accepted', async () => {
    const release = 'a-release-with-a-name-as-long-as-helm-lets-it-be-it-i';
    const text = await renderText({ release, valuesFile: VALUES_FILES[0]?.[1] ?? '' });
    expect(await dryRun(text)).toMatchObject({ code: 0, stderr: '' });
  });

  test('the webhook is stored as it is rendered, so that nothing has to be put in sync', async () => {
    const rendered = objectOf(await renderObjects(), 'ValidatingWebhookConfiguration');
    const { stdout } = await dryRun(JSON.stringify(rendered));
    const stored: unknown = JSON.parse(stdout);
    expect(at(stored, 'webhooks', 0)).toEqual({
      ...Object(at(rendered, 'webhooks', 0)),
      // The two defaults that would be empty maps.
      namespaceSelector: {},
      objectSelector: {},
    });
  });

  test("a CEL error in a condition of the user's is found before it is in force", async () => {
    const values = { webhook: { matchConditions: [{ name: 'wrong', expression: 'objekt == oldObject' }] } };
    const { code, stderr } = await dryRun(await renderText({ values }));
    expect([code, stderr]).toEqual([1, expect.stringContaining("undeclared reference to 'objekt'")]);
  });

  test.each(VALUES_FILES.filter(([name]) => name !== 'host-network'))(
    'the values %s: pods, the one of helm test included, are admitted by Pod Security "restricted"',
    async (_name, file) => {
      const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
      await cluster.request('POST', '/api/v1/namespaces', { body: namespace('restricted', labels) });
      const objects = await renderObjects({ valuesFile: file });
      const test = objects.find(({ kind }) => kind === 'Pod');
      const pods = [podOf(at(objectOf(objects, 'Deployment'), 'spec', 'template'), 'webhook'), podOf(test, 'test')];
      for (const pod of pods) {
        const answer = await cluster.request('POST', '/api/v1/namespaces/restricted/pods?dryRun=All', { body: pod });
        expect([answer.status, at(answer.json, 'message')]).toEqual([201, undefined]);
      }
    },
  );

  test('Pod Security does look: on the host network the pods are refused', async () => {
    const values = { hostNetwork: true, webhook: { port: 10_260 } };
    const template = at(objectOf(await renderObjects({ values }), 'Deployment'), 'spec', 'template');
    const pods = '/api/v1/namespaces/restricted/pods?dryRun=All';
    const answer = await cluster.request('POST', pods, { body: podOf(template, 'webhook') });
    expect([answer.status, at(answer.json, 'message')]).toEqual([403, expect.stringContaining('hostNetwork=true')]);
  });

  test.each<{ mode: string; rights: string[] }>([
    {
      mode: 'selfManaged',
      rights: [
        'secrets  []  [jobguard-certificates]  [get create update patch]',
        'validatingwebhookconfigurations.admissionregistration.k8s.io  []  [jobguard.jobguard]  [get patch]',
      ],
    },
    { mode: 'certManager', rights: [] },
    { mode: 'existingSecret', rights: [] },
    { mode: 'helm', rights: [] },
  ])('mode $mode: beyond what anybody may, the ServiceAccount has $rights.length rights', async ({ mode, rights }) => {
    const text = await renderText({
      release: mode.toLowerCase(),
      values: { fullnameOverride: 'jobguard', tls: { mode, existingSecret: { name: 'x' } } },
      flags: ['--no-hooks'],
    });
    expect(await cluster.kubectl(['apply', '--server-side', '--filename=-'], { stdin: text })).toMatchObject({
      code: 0,
    });
    // One right a line, in columns as wide as the longest right needs.
    const rightsOf = async (name: string): Promise<string[]> => {
      const groups = ['system:serviceaccounts', 'system:serviceaccounts:jobguard', 'system:authenticated'];
      const as = [`--as=system:serviceaccount:jobguard:${name}`, ...groups.map((group) => `--as-group=${group}`)];
      const { stdout } = await cluster.kubectl(['auth', 'can-i', '--list', '--namespace=jobguard', ...as]);
      return stdout.split('\n').map((line) => line.trim().replaceAll(/\s{2,}/g, '  '));
    };
    const anybody = await rightsOf('nobody');
    const own = (await rightsOf('jobguard')).filter((line) => !anybody.includes(line));
    expect(await cluster.kubectl(['delete', '--filename=-'], { stdin: text })).toMatchObject({ code: 0 });
    expect(own.toSorted()).toEqual(rights);
  });
});
