import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAuthority } from '../../tools/certificates.ts';
import { eventually } from '../../tools/eventually.ts';
import { renderObjects } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { startControlPlane, type Answer, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { CONTROL_PLANE_TIMEOUT_MS, describeChart } from './layer.ts';

const PODS = 'system:serviceaccount:jobguard:jobguard';
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const OURS = `${CONFIGURATIONS}/jobguard.jobguard`;

const RULE = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] };
const SERVICE = { name: 'jobguard', namespace: 'jobguard', path: '/elsewhere', port: 443 };
const WEBHOOK = {
  name: 'another.jobguard.dev',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { url: 'https://elsewhere.example/' },
};

const CA_BUNDLE = Buffer.from((await createAuthority()).cert).toString('base64');

const OTHER_CHANGES = [
  { what: 'the rules', patch: [{ op: 'replace', path: '/webhooks/0/rules', value: [RULE] }] },
  {
    what: 'the path of the Service',
    patch: [{ op: 'replace', path: '/webhooks/0/clientConfig/service', value: SERVICE }],
  },
  { what: 'failurePolicy', patch: [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }] },
  { what: 'a removed condition', patch: [{ op: 'remove', path: '/webhooks/0/matchConditions' }] },
  { what: 'a second webhook', patch: [{ op: 'add', path: '/webhooks/-', value: WEBHOOK }] },
  { what: 'a removed webhook', patch: [{ op: 'remove', path: '/webhooks/0' }] },
  { what: 'no webhooks at all', patch: [{ op: 'remove', path: '/webhooks' }] },
  { what: 'an annotation', patch: [{ op: 'add', path: '/metadata/annotations/a', value: 'b' }] },
  { what: 'a removed annotation', patch: [{ op: 'remove', path: '/metadata/annotations' }] },
  { what: 'a label', patch: [{ op: 'add', path: '/metadata/labels/a', value: 'b' }] },
  {
    what: 'the caBundle, and failurePolicy beside it',
    patch: [
      { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: CA_BUNDLE },
      { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
    ],
  },
];

describeChart('the admission policy for the ServiceAccount of mode selfManaged', () => {
  let cluster: ControlPlane;

  const change = (patch: readonly object[], as?: string, path = OURS): Promise<Answer> =>
    cluster.request('PATCH', `${path}?dryRun=All`, {
      contentType: 'application/json-patch+json',
      body: patch,
      ...(as === undefined ? {} : { as }),
    });

  beforeAll(async () => {
    cluster = await startControlPlane('training-operator 1.9');
    const items = (await renderObjects()).filter(({ kind }) => kind.startsWith('Validating'));
    const applied = await cluster.kubectl(['apply', '--server-side', '--filename=-'], {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
    expect(applied).toMatchObject({ code: 0 });
    await eventually('the policy to be in force', async () => {
      const { status } = await change([{ op: 'add', path: '/metadata/annotations/a', value: 'b' }], PODS);
      return status === 403 ? true : undefined;
    });
  }, CONTROL_PLANE_TIMEOUT_MS);
  afterAll(() => cluster.stop(), CONTROL_PLANE_TIMEOUT_MS);

  test('the caBundle may be set, as the pods do it, changed, and removed', async () => {
    const applied = await cluster.request('PATCH', `${OURS}?fieldManager=jobguard-certificates&force=true`, {
      as: PODS,
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'jobguard.jobguard' },
        webhooks: [{ name: 'jobs.jobguard.dev', clientConfig: { caBundle: CA_BUNDLE } }],
      },
    });
    const path = '/webhooks/0/clientConfig/caBundle';
    const other = await createAuthority();
    const changed = await change([{ op: 'replace', path, value: Buffer.from(other.cert).toString('base64') }], PODS);
    const removed = await change([{ op: 'remove', path }], PODS);
    expect([applied.status, changed.status, removed.status]).toEqual([200, 200, 200]);
  });

  test.each(OTHER_CHANGES)('$what: refused', async ({ patch }) => {
    const answer = await change(patch, PODS);
    expect({ status: answer.status, message: at(answer.json, 'message') }).toEqual({
      status: 403,
      message: expect.stringContaining('jobguard may change the caBundle of its webhooks and nothing else'),
    });
  });

  test.each(OTHER_CHANGES)('$what, by somebody else: not affected', async ({ patch }) => {
    expect(await change(patch, 'alice')).toMatchObject({ status: 200 });
    expect(await change(patch, 'system:serviceaccount:default:jobguard')).toMatchObject({ status: 200 });
  });

  test("another configuration, even one that is nobody's to guard: refused", async () => {
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'other' },
    };
    expect(await cluster.request('POST', CONFIGURATIONS, { body })).toMatchObject({ status: 201 });
    const answer = await change([{ op: 'add', path: '/webhooks', value: [WEBHOOK] }], PODS, `${CONFIGURATIONS}/other`);
    expect(answer.status).toBe(403);
  });
});
