import { expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { completePolicy } from '../../src/policy/complete.ts';
import { KNOWN_KINDS } from '../../src/policy/known-kinds.ts';
import { loadPolicy, readPolicy } from '../../src/policy/load.ts';
import { matchCondition } from '../../src/policy/match-condition.ts';
import {
  CHART,
  helm,
  HELM_MAJORS,
  KUBE_VERSION,
  objectOf,
  policyText,
  renderObjects,
  renderText,
  template,
  type Manifest,
  type Render,
} from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { ALL_PRESETS_POLICY } from '../property/policies.ts';
import { documentedPolicies } from '../support/documented-policies.ts';
import { describeChart, MANY_PROGRAMS_TIMEOUT_MS } from './layer.ts';
import { DETERMINISTIC, VALUES_FILES } from './values-files.ts';

/** What names an object in a cluster. */
function identity({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

/** The kinds of the objects that stand in no namespace. */
const CLUSTER_SCOPED = [
  'ValidatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ClusterRole',
  'ClusterRoleBinding',
];

const POLICY_HEAD = { apiVersion: 'jobguard/v1', kind: 'UpdatePolicy' };
const EVERY_KNOWN_KIND = KNOWN_KINDS.map(({ group, resource }) => ({ group, resource }));
const EVERY_KEY = join(import.meta.dirname, '../fixtures/policies/right/everything.yaml');

const CERT_MANAGER: Render = { values: { tls: { mode: 'certManager' } } };
const HELM: Render = { values: { tls: { mode: 'helm' } } };

describeChart.each(VALUES_FILES)('with the values %s', (_name, valuesFile) => {
  test.each(HELM_MAJORS)('Helm %i lints it strictly', async (major) => {
    const flags = ['--strict', '--values', valuesFile, '--kube-version', KUBE_VERSION];
    const { code, stdout } = await helm(['lint', CHART, ...flags], { major });
    expect([code, stdout]).toEqual([0, expect.stringContaining('1 chart(s) linted, 0 chart(s) failed')]);
  });

  test('no field is null and no map is empty', async () => {
    const objects = await renderObjects({ valuesFile });
    expect(objects.flatMap((object) => blanksIn(object).map((path) => `${object.kind}${path}`))).toEqual(
      // This is how cert-manager's API spells it.
      objects.filter((object) => at(object, 'spec', 'selfSigned') !== undefined).map(() => 'Issuer.spec.selfSigned'),
    );
  });

  test('the policy is one that the program takes', async () => {
    const objects = await renderObjects({ valuesFile });
    expect(() => loadPolicy(policyText(objects))).not.toThrow();
  });

  test('every object but the cluster-scoped ones is in the namespace, and has the labels of the release', async () => {
    const objects = (await renderObjects({ valuesFile })).filter(({ metadata }) => metadata.labels !== undefined);
    const [namespace] = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
    for (const { kind, metadata } of objects) {
      const expected = CLUSTER_SCOPED.includes(kind) ? undefined : namespace;
      expect([kind, metadata.namespace, metadata.labels?.['app.kubernetes.io/instance']]).toEqual([
        kind,
        expected,
        'jobguard',
      ]);
    }
  });
});

/** The places of null and of `{}`. */
function blanksIn(value: unknown, path = ''): string[] {
  if (value === null) return [path];
  if (typeof value !== 'object') return [];
  const entries = Object.entries(value);
  if (entries.length === 0 && !Array.isArray(value)) return [path];
  return entries.flatMap(([key, child]) => blanksIn(child, `${path}.${key}`));
}

describeChart('two renders', () => {
  test.each(DETERMINISTIC)('of the values %s are equal', async (_name, valuesFile) => {
    expect(await renderText({ valuesFile })).toBe(await renderText({ valuesFile }));
  });

  test.each(DETERMINISTIC)(
    'of the values %s, by Helm 3 and Helm 4, are of equal objects',
    async (_name, valuesFile) => {
      const [first, second] = await Promise.all(HELM_MAJORS.map((major) => renderObjects({ valuesFile, major })));
      expect(second).toHaveLength(first?.length ?? NaN);
      expect(second).toEqual(expect.arrayContaining(first ?? []));
    },
  );

  test('in mode helm differ in the certificate and in nothing else', async () => {
    const first = withoutCertificate(await renderObjects(HELM));
    const second = withoutCertificate(await renderObjects(HELM));
    expect(second.objects).toEqual(first.objects);
    expect(first.certificate).toHaveLength(5);
    for (const [index, part] of second.certificate.entries()) expect(part).not.toBe(first.certificate[index]);
  });
});

/** Takes out the three keys of the Secret, the caBundle and the checksum. */
function withoutCertificate(objects: readonly Manifest[]): { objects: unknown; certificate: string[] } {
  const certificate: string[] = [];
  const text = JSON.stringify(objects, (key, value: unknown) => {
    if (!['ca.crt', 'tls.crt', 'tls.key', 'caBundle', 'checksum/tls'].includes(key)) return value;
    certificate.push(String(value));
    return 'masked';
  });
  return { objects: JSON.parse(text), certificate };
}

describeChart('the version of Kubernetes', () => {
  const VERSIONS = [
    ...Array.from({ length: 8 }, (_, index) => `1.${30 + index}.0`),
    ...['v1.30.0-eks-036c24b', 'v1.33.1-eks-abc1234', 'v1.33.1-gke.1386000', 'v1.32.4+k3s1', 'v1.37.2-alpha.1'],
  ];

  test(
    'makes no difference from 1.30 on, suffixes of managed clusters included',
    async () => {
      const renders = new Set<string>();
      for (const kubeVersion of VERSIONS) renders.add(await renderText({ ...CERT_MANAGER, kubeVersion }));
      expect(renders.size).toBe(1);
    },
    MANY_PROGRAMS_TIMEOUT_MS,
  );

  test('must be 1.30 at least', async () => {
    const { code, stderr } = await template({ kubeVersion: '1.29.9' });
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('chart requires kubeVersion: >=1.30.0-0 which is incompatible with Kubernetes v1.29.9'),
    ]);
  });
});

describeChart('monitors', () => {
  test.each(['podMonitor', 'serviceMonitor'])(
    '%s is made when asked for, whatever APIs helm knows of',
    async (monitor) => {
      const values = { tls: { mode: 'certManager' }, metrics: { [monitor]: { enabled: true } } };
      const plain = await renderText({ values });
      const informed = await renderText({ values, flags: ['--api-versions', 'monitoring.coreos.com/v1'] });
      expect(plain).toBe(informed);
      expect(plain).toContain(`kind: ${monitor === 'podMonitor' ? 'PodMonitor' : 'ServiceMonitor'}`);
    },
  );
});

/** Enough of one for what looks at its first and last lines. */
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';

const REFUSED: [what: string, values: object, message: string][] = [
  ['an unknown value', { replicas: 2 }, "at '': additional properties 'replicas' not allowed"],
  [
    'an unknown value further down',
    { tls: { secretName: 'x' } },
    "at '/tls': additional properties 'secretName' not allowed",
  ],
  ['no replica', { replicaCount: 0 }, "at '/replicaCount': minimum: got 0, want 1"],
  [
    'an unknown TLS mode',
    { tls: { mode: 'selfSigned' } },
    "at '/tls/mode': value must be one of 'selfManaged', 'certManager', 'existingSecret', 'helm'",
  ],
  [
    'a timeout beyond 30 s',
    { webhook: { timeoutSeconds: 31 } },
    "at '/webhook/timeoutSeconds': maximum: got 31, want 30",
  ],
  [
    'an unknown failurePolicy',
    { webhook: { failurePolicy: 'Warn' } },
    "at '/webhook/failurePolicy': value must be one of 'Fail', 'Ignore'",
  ],
  [
    'a plain-text url',
    { webhook: { url: 'http://guard/validate' } },
    "at '/webhook/url': 'http://guard/validate' does not match pattern",
  ],
  ['a port that is none', { webhook: { port: 65_536 } }, "at '/webhook/port': maximum: got 65,536, want 65,535"],
  [
    'a digest that is none',
    { image: { digest: 'sha256:0123' } },
    "at '/image/digest': 'sha256:0123' does not match pattern",
  ],
  ['a tag that YAML reads as a number', { image: { tag: 1.1 } }, "at '/image/tag': got number, want string"],
  [
    'a caBundle that is base64 already',
    { tls: { existingSecret: { caBundle: 'LS0tLS1CRUdJTg==' } } },
    "at '/tls/existingSecret/caBundle': 'LS0tLS1CRUdJTg==' does not match pattern",
  ],
  [
    'minAvailable, which nails a pod to its node',
    { podDisruptionBudget: { minAvailable: 1 } },
    "at '/podDisruptionBudget': additional properties 'minAvailable' not allowed",
  ],
  [
    'an annotation that is no string',
    { webhook: { annotations: { a: true } } },
    "at '/webhook/annotations/a': got boolean, want string",
  ],
  ['a section set to null', { tls: null }, "at '': missing property 'tls'"],
  [
    'a policy with an unknown mode',
    { policy: { mode: 'dryrun' } },
    "at '/policy/mode': value must be one of 'enforce', 'warn', 'audit'",
  ],
  [
    'a policy with an unknown key',
    { policy: { allowed: [] } },
    "at '/policy': additional properties 'allowed' not allowed",
  ],
  [
    'a policy with a path that is none',
    { policy: { allow: ['spec/foo'] } },
    "at '/policy/allow/0': 'spec/foo' does not match pattern",
  ],
  ['a policy without resources', { policy: { resources: [] } }, "at '/policy/resources': minItems: got 0, want 1"],
  ['a policy whose list is set to null', { policy: { allow: null } }, "at '/policy': missing property 'allow'"],
  [
    "hostNetwork on the kubelet's port",
    { hostNetwork: true },
    "webhook.port: with hostNetwork 10250 is the kubelet's; choose another port, such as 10260",
  ],
  ['one port for two', { webhook: { port: 8080 } }, 'metrics.port: must differ from webhook.port'],
  [
    'a policy whose path is too broad',
    { policy: { exemptions: [{ name: 'a', usernames: ['jane'], paths: ['/spec/*'] }] } },
    'policy: the path "/spec/*" lets nearly everything change; if that is meant, set policy.allowBroadPaths',
  ],
  ...['*', 'system:*', '*-admin', 'system:anonymous', 'system:serviceaccount:team-*:scheduler'].map(
    (username): [string, object, string] => [
      `a policy that exempts the username ${username}`,
      { policy: { exemptions: [{ name: 'a', usernames: [username], paths: ['/metadata/finalizers'] }] } },
      `policy: the username "${username}" covers people or namespaces that it does not name; if that is meant, set policy.allowBroadIdentities`,
    ],
  ),
  ...['*', 'system:authenticated', 'system:serviceaccounts', 'system:serviceaccounts:team-*'].map(
    (group): [string, object, string] => [
      `a policy that exempts the group ${group}`,
      { policy: { exemptions: [{ name: 'a', groups: [group], paths: ['/metadata/finalizers'] }] } },
      `policy: the group "${group}" covers people or namespaces that it does not name; if that is meant, set policy.allowBroadIdentities`,
    ],
  ),
  [
    'a policy whose preset trusts any namespace',
    { policy: { presets: { kueue: { usernames: ['system:serviceaccount:*:kueue'] } } } },
    'policy: the username "system:serviceaccount:*:kueue" covers people or namespaces that it does not name; if that is meant, set policy.allowBroadIdentities',
  ],
  [
    'a policy with a resource in the singular',
    { policy: { resources: [{ group: 'kubeflow.org', resource: 'tfjob' }] } },
    "at '/policy/resources/0/resource': 'tfjob' does not match pattern",
  ],
  [
    'a policy with a name that no namespace has',
    { policy: { namespaceModes: [{ namespaces: ['Team_A'], mode: 'warn' }] } },
    "at '/policy/namespaceModes/0/namespaces/0': 'Team_A' does not match pattern",
  ],
  ['a policy with a blank contact', { policy: { contact: ' ' } }, "at '/policy/contact': ' ' does not match pattern"],
  [
    'existingSecret without a name',
    { tls: { mode: 'existingSecret' } },
    'tls.existingSecret.name: required when tls.mode is existingSecret',
  ],
  [
    'a caBundle whose certificates were joined without a newline',
    { tls: { existingSecret: { caBundle: `${PEM}${PEM}` } } },
    'tls.existingSecret.caBundle: two certificates on one line; begin each on a line of its own',
  ],
  [
    'client authorities in two places',
    { tls: { clientCa: { configMap: 'a', secret: 'b' } } },
    'tls.clientCa: has both a configMap and a secret; choose one',
  ],
  [
    'names of clients who are not asked for one',
    { tls: { clientCa: { allowedNames: ['kube-apiserver'] } } },
    'tls.clientCa.allowedNames: without a configMap or a secret nobody is asked for a name',
  ],
  [
    'a name with a comma in it',
    { tls: { clientCa: { configMap: 'a', allowedNames: ['a,b'] } } },
    "at '/tls/clientCa/allowedNames/0': 'a,b' does not match pattern",
  ],
  [
    "a url that the chart's certificates are not for",
    { webhook: { url: 'https://guard/validate' } },
    'webhook.url: needs a certificate for its host; set tls.mode to existingSecret',
  ],
  [
    'a drain that ends before it begins',
    { shutdown: { delaySeconds: 21 } },
    'shutdown.timeoutSeconds: shorter than shutdown.delaySeconds, which it includes',
  ],
  [
    'an autoscaler without room',
    { autoscaling: { minReplicas: 6 } },
    'autoscaling.maxReplicas: less than autoscaling.minReplicas',
  ],
  [
    'both monitors',
    { metrics: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } } },
    'metrics: with both podMonitor and serviceMonitor every pod would be scraped twice; enable one',
  ],
];

describeChart('values that are refused, and why', () => {
  test.each(REFUSED)('%s', async (_what, values, message) => {
    const { code, stderr } = await template({ values });
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test('all that do not go together are named at once', async () => {
    const { stderr } = await template({ values: { hostNetwork: true, tls: { mode: 'existingSecret' } } });
    expect(stderr).toMatch(/\nwebhook\.port: .*\ntls\.existingSecret\.name: /);
  });

  test('but `global` is taken, as for any subchart', async () => {
    expect((await template({ values: { global: { imageRegistry: 'registry.example.com' } } })).code).toBe(0);
  });
});

describeChart('names', () => {
  test('two releases share no object and no selector', async () => {
    const releases: [string, string][] = [
      ['jobguard', 'a'],
      ['other', 'a'],
      ['jobguard', 'b'],
      // One hyphen further: parts that are joined must not read the same.
      ['jobguard-a', 'b'],
      ['jobguard', 'a-b'],
    ];
    const identities: string[] = [];
    for (const [release, namespace] of releases) {
      identities.push(...(await renderObjects({ release, namespace, ...CERT_MANAGER })).map(identity));
    }
    expect(new Set(identities).size).toBe(identities.length);
  });

  test('two releases with certificates of their own share no object and no right', async () => {
    const rights = async (render: Render): Promise<string[]> =>
      (await renderObjects(render))
        .filter(({ kind }) => kind.endsWith('Role'))
        .map((role) => JSON.stringify(at(role, 'rules')));
    const [one, other] = [await rights({ namespace: 'a' }), await rights({ release: 'other', namespace: 'a' })];
    expect(one.filter((rule) => !rule.includes('kubeflow.org'))).toHaveLength(2);
    expect(one.filter((rule) => other.includes(rule) && !rule.includes('kubeflow.org'))).toEqual([]);
  });

  test('long ones are cut to 63 characters and stay apart', async () => {
    const long = 'a-release-with-a-name-as-long-as-helm-lets-it-be-it-is';
    const names = new Set<string>();
    for (const release of [long.slice(0, 53), `${long.slice(0, 52)}x`]) {
      const objects = await renderObjects({ release, ...CERT_MANAGER });
      for (const { kind, metadata } of objects) {
        names.add(`${kind} ${metadata.name}`);
        if (!CLUSTER_SCOPED.includes(kind)) expect(metadata.name.length).toBeLessThanOrEqual(63);
        for (const value of Object.values(metadata.labels ?? {})) expect(value.length).toBeLessThanOrEqual(63);
      }
      expect(objects.length).toBeGreaterThan(10);
    }
    expect(names.size % 2).toBe(0);
    expect([...names].filter((name) => name.includes(long.slice(0, 10)))).toHaveLength(names.size);
  });

  test('a dot, which a release may have and a Service may not, becomes a hyphen', async () => {
    const objects = await renderObjects({ release: 'team.a', ...CERT_MANAGER });
    expect(objectOf(objects, 'Service').metadata.name).toBe('team-a-jobguard');
  });
});

describeChart('the certificate of mode helm', () => {
  test('is trusted by the caBundle, for the name that the API server calls, for ten years', async () => {
    const objects = await renderObjects({ release: 'r', namespace: 'n', ...HELM });
    const pem = (key: string): string =>
      Buffer.from(String(at(objectOf(objects, 'Secret'), 'data', key)), 'base64').toString();
    const [ca, leaf] = [new X509Certificate(pem('ca.crt')), new X509Certificate(pem('tls.crt'))];
    const caBundle = at(objectOf(objects, 'ValidatingWebhookConfiguration'), 'webhooks', 0, 'clientConfig', 'caBundle');
    expect(caBundle).toBe(Buffer.from(pem('ca.crt')).toString('base64'));
    expect({ isCa: ca.ca, isTrusted: leaf.verify(ca.publicKey), host: leaf.checkHost('r-jobguard.n.svc') }).toEqual({
      isCa: true,
      isTrusted: true,
      host: 'r-jobguard.n.svc',
    });
    const years = (leaf.validToDate.getTime() - Date.now()) / (365 * 24 * 3600 * 1000);
    expect(Math.round(years)).toBe(10);
  });
});

describeChart('what depends on a value', () => {
  const deployment = async (values: object): Promise<Manifest> =>
    objectOf(await renderObjects({ values }), 'Deployment');
  const webhook = async (values: object): Promise<unknown> =>
    at(objectOf(await renderObjects({ values }), 'ValidatingWebhookConfiguration'), 'webhooks', 0);
  const kinds = async (values: object): Promise<string[]> => (await renderObjects({ values })).map(({ kind }) => kind);

  test('a change of the policy rolls the pods', async () => {
    const checksum = async (values: object): Promise<unknown> =>
      at(await deployment(values), 'spec', 'template', 'metadata', 'annotations', 'checksum/policy');
    const [before, same, after] = [
      await checksum({}),
      await checksum({ replicaCount: 3 }),
      await checksum({ policy: { mode: 'audit' } }),
    ];
    expect(same).toBe(before);
    expect(after).not.toBe(before);
  });

  test('the webhook is registered for every guarded resource and its /scale, one rule a group', async () => {
    const resources = [
      { group: 'kubeflow.org', resource: 'tfjobs' },
      { group: 'example.com', resource: 'renderjobs', scaleReplicasPath: '/spec/replicas' },
      { group: 'kubeflow.org', resource: 'pytorchjobs' },
    ];
    const rule = { apiVersions: ['*'], operations: ['UPDATE'], scope: '*' };
    expect(at(await webhook({ policy: { resources } }), 'rules')).toEqual([
      { ...rule, apiGroups: ['example.com'], resources: ['renderjobs', 'renderjobs/scale'] },
      {
        ...rule,
        apiGroups: ['kubeflow.org'],
        resources: ['tfjobs', 'tfjobs/scale', 'pytorchjobs', 'pytorchjobs/scale'],
      },
    ]);
  });

  test.each([
    ['in mode selfManaged', {}, 1],
    ['in mode selfManaged, where it is not wanted', { rbac: { limitToCaBundle: false } }, 0],
    ['in mode certManager, which has no rights to limit', { tls: { mode: 'certManager' } }, 0],
  ])('an admission policy for the ServiceAccount %s', async (_what, values, policies) => {
    const made = await kinds(values);
    expect({
      policies: made.filter((kind) => kind === 'ValidatingAdmissionPolicy').length,
      bindings: made.filter((kind) => kind === 'ValidatingAdmissionPolicyBinding').length,
    }).toEqual({ policies, bindings: policies });
  });

  test('an autoscaler owns the number of replicas', async () => {
    expect(at(await deployment({ autoscaling: { enabled: true } }), 'spec', 'replicas')).toBeUndefined();
  });

  test.each([
    ['two replicas', {}, 1],
    ['one replica', { replicaCount: 1 }, 0],
    ['an autoscaler that goes down to one', { autoscaling: { enabled: true, minReplicas: 1 } }, 0],
    ['an autoscaler that goes down to two', { replicaCount: 1, autoscaling: { enabled: true } }, 1],
  ])('a budget for %s', async (_what, values, budgets) => {
    expect((await kinds(values)).filter((kind) => kind === 'PodDisruptionBudget')).toHaveLength(budgets);
  });

  test('on the host network the old pod goes first, and no NetworkPolicy pretends to hold', async () => {
    const values = { hostNetwork: true, webhook: { port: 10_260 } };
    const spec = at(await deployment(values), 'spec');
    expect([at(spec, 'strategy', 'rollingUpdate'), at(spec, 'template', 'spec', 'dnsPolicy')]).toEqual([
      { maxSurge: 0, maxUnavailable: 1 },
      'ClusterFirstWithHostNet',
    ]);
    expect(await kinds(values)).not.toContain('NetworkPolicy');
  });

  test('ports are named once and followed by name', async () => {
    const objects = await renderObjects({
      values: { webhook: { port: 9443 }, metrics: { port: 9090, serviceMonitor: { enabled: true } } },
    });
    const numbers = JSON.stringify(objects).match(/9443|9090/g);
    // The Deployment's ports and flags, and the port of the Service that the ServiceMonitor scrapes.
    expect(numbers).toEqual(['9090', '9443', '9090', '9443', '9090']);
  });

  test.each([
    ['selfManaged', {}, false],
    ['helm', { tls: { mode: 'helm' } }, true],
    ['certManager', { tls: { mode: 'certManager' } }, false],
    [
      'existingSecret, where another program fills it in',
      { tls: { mode: 'existingSecret', existingSecret: { name: 'x' } } },
      false,
    ],
  ])('the caBundle in mode %s', async (_mode, values, isRendered) => {
    const clientConfig = JSON.stringify(at(await webhook(values), 'clientConfig'));
    expect(clientConfig.includes('caBundle')).toBe(isRendered);
  });

  test.each([
    ['selfManaged', { kinds: ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding', 'Secret'], hasToken: true }],
    ['certManager', { kinds: [], hasToken: false }],
    ['existingSecret', { kinds: [], hasToken: false }],
    ['helm', { kinds: ['Secret'], hasToken: false }],
  ])('rights, token and way to the API server in mode %s', async (mode, expected) => {
    const objects = await renderObjects({ values: { tls: { mode, existingSecret: { name: 'x' } } } });
    const own = objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined);
    const egress = at(objectOf(own, 'NetworkPolicy'), 'spec', 'egress');
    expect({
      kinds: own
        .map(({ kind }) => kind)
        .filter((kind) => /Role|Secret/.test(kind))
        .sort(),
      hasToken: JSON.stringify(objectOf(own, 'Deployment')).includes('serviceAccountToken'),
      egress,
    }).toEqual({
      ...expected,
      egress: expected.hasToken ? [{ ports: [443, 6443].map((port) => ({ port, protocol: 'TCP' })) }] : undefined,
    });
  });

  test('the Secret of mode selfManaged is rendered without data, which the pods write', async () => {
    const { type, data, stringData } = objectOf(await renderObjects(), 'Secret');
    expect([type, data, stringData]).toEqual(['Opaque', undefined, undefined]);
  });

  test("the rights of mode selfManaged can be somebody else's to give", async () => {
    expect(await kinds({ rbac: { create: false } })).not.toContain('ClusterRole');
  });

  test.each([
    [
      'a ConfigMap',
      { configMap: 'ca', key: 'my.crt' },
      { configMap: { name: 'ca', items: [{ key: 'my.crt', path: 'ca.crt' }] } },
    ],
    ['a Secret', { secret: 'ca' }, { secret: { name: 'ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }],
  ])('the authorities of client certificates come from %s', async (_what, clientCa, source) => {
    const pod = at(
      await deployment({ tls: { clientCa: { ...clientCa, allowedNames: ['a', 'b c'] } } }),
      'spec',
      'template',
      'spec',
    );
    expect(at(pod, 'containers', 0, 'args')).toEqual(
      expect.arrayContaining(['--client-ca-file=/etc/jobguard/client-ca/ca.crt', '--allowed-client-names=a,b c']),
    );
    expect(at(pod, 'volumes')).toContainEqual({
      name: 'client-ca',
      projected: { defaultMode: 292, sources: [source] },
    });
  });

  test.each<{ place: string; policy: object }>([
    { place: 'the default policy', policy: POLICY_HEAD },
    { place: 'a policy that allows nothing', policy: { ...POLICY_HEAD, allow: [] } },
    { place: 'a policy for every known kind', policy: { ...POLICY_HEAD, resources: EVERY_KNOWN_KIND } },
    { place: 'a policy with every key', policy: parse(readFileSync(EVERY_KEY, 'utf8')) as object },
    { place: 'a policy with every preset', policy: ALL_PRESETS_POLICY.document },
    ...['policy.md', 'recipes.md']
      .flatMap(documentedPolicies)
      .map(({ place, text }) => ({ place, policy: parse(text) as object })),
  ])('$place: the matchCondition is what `jobguard policy -o match-condition` prints', async ({ policy }) => {
    expect(at(await webhook({ policy }), 'matchConditions', 0)).toEqual({
      name: 'may-be-refused',
      expression: matchCondition(completePolicy(readPolicy(JSON.stringify(policy)))),
    });
  });

  test('no namespace is excluded unless asked for, and a selector of the user stays beside it', async () => {
    const notIn = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['a'] };
    const mine = { matchLabels: { guarded: 'true' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] };
    expect(at(await webhook({}), 'namespaceSelector')).toBeUndefined();
    expect(
      at(await webhook({ webhook: { excludedNamespaces: ['a'], namespaceSelector: mine } }), 'namespaceSelector'),
    ).toEqual({
      ...mine,
      matchExpressions: [...mine.matchExpressions, notIn],
    });
  });

  test('priority classes of the system come with a quota, without which GKE makes no pods', async () => {
    expect(await kinds({ priorityClassName: 'system-cluster-critical' })).toContain('ResourceQuota');
    expect(await kinds({ priorityClassName: 'mine' })).not.toContain('ResourceQuota');
  });

  test('rendered without a cluster, as Argo CD does, the webhook has its name to itself', async () => {
    const named = (await renderObjects()).filter(({ kind }) => kind === 'ValidatingWebhookConfiguration');
    expect(named.map(({ webhooks }) => at(webhooks, 0, 'name'))).toEqual(['jobs.jobguard.dev']);
  });

  test('helm test is left out where the policy guards no kind that it can make a job of', async () => {
    const values = { policy: { resources: [{ group: 'batch', resource: 'jobs' }] } };
    expect(await kinds(values)).not.toContain('Pod');
  });
});
