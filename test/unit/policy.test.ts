import { describe, expect, test } from '@jest/globals';
import { guardedResource } from '../../src/core/policy.ts';
import { resourceName } from '../../src/core/resource-name.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { completePolicy } from '../../src/policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../src/policy/defaults.ts';
import type { CompletePolicy, CompleteResource, PolicyDocument, ResourceDocument } from '../../src/policy/document.ts';
import { policyHash } from '../../src/policy/hash.ts';
import { KNOWN_KINDS } from '../../src/policy/known-kinds.ts';
import { PRESETS } from '../../src/policy/presets.ts';
import { NOW, policyWith } from '../support/review.ts';

const documentWith = (fields: Partial<PolicyDocument>): PolicyDocument => ({ ...DEFAULT_POLICY_DOCUMENT, ...fields });

const GARBAGE_COLLECTORS = [
  'system:serviceaccount:kube-system:generic-garbage-collector',
  'system:kube-controller-manager',
];

const DEFAULTS: CompletePolicy = {
  apiVersion: 'jobguard/v1',
  kind: 'UpdatePolicy',
  mode: 'enforce',
  namespaceModes: [],
  resources: [
    {
      group: 'kubeflow.org',
      resource: 'tfjobs',
      podTemplates: ['/spec/tfReplicaSpecs/*/template'],
      scaleReplicasPath: null,
      suspendPath: '/spec/runPolicy/suspend',
      allow: [],
    },
    {
      group: 'kubeflow.org',
      resource: 'pytorchjobs',
      podTemplates: ['/spec/pytorchReplicaSpecs/*/template'],
      scaleReplicasPath: '/spec/pytorchReplicaSpecs/Worker/replicas',
      suspendPath: '/spec/runPolicy/suspend',
      allow: [],
    },
  ],
  allow: [
    '/metadata/labels',
    '/metadata/annotations',
    '/spec/activeDeadlineSeconds',
    '/spec/ttlSecondsAfterFinished',
    '/spec/cleanPodPolicy',
    '/spec/runPolicy/activeDeadlineSeconds',
    '/spec/runPolicy/ttlSecondsAfterFinished',
    '/spec/runPolicy/cleanPodPolicy',
  ],
  allowBroadPaths: false,
  allowBroadIdentities: false,
  allowUnknownPaths: false,
  suspendedJobs: false,
  presets: {
    garbageCollector: { usernames: GARBAGE_COLLECTORS },
    kueue: false,
    horizontalPodAutoscaler: false,
    flyte: false,
  },
  exemptions: [],
  contact: null,
};

describe('the complete policy', () => {
  test('of an empty document is the default', () => {
    expect(completePolicy(DEFAULT_POLICY_DOCUMENT)).toEqual(DEFAULTS);
  });

  test.each<[string, Partial<PolicyDocument>, Partial<CompletePolicy>]>([
    [
      'keeps what is said',
      { mode: 'audit', suspendedJobs: true, allowBroadPaths: true },
      { mode: 'audit', suspendedJobs: true, allowBroadPaths: true },
    ],
    ['has other paths in place of the default ones', { allow: ['/spec/x'] }, { allow: ['/spec/x'] }],
    ['may allow nothing', { allow: [] }, { allow: [] }],
    [
      'has other resources in place of the default ones',
      { resources: [{ group: 'a', resource: 'b' }] },
      {
        resources: [
          { group: 'a', resource: 'b', podTemplates: [], scaleReplicasPath: null, suspendPath: null, allow: [] },
        ],
      },
    ],
    [
      'has namespaces and exemptions',
      { namespaceModes: [{ namespaces: ['a'], mode: 'warn' }], exemptions: [{ name: 'a', paths: [] }] },
      {
        namespaceModes: [{ namespaces: ['a'], mode: 'warn' }],
        exemptions: [
          { name: 'a', usernames: [], groups: [], namespaces: ['*'], paths: [], reason: null, expires: null },
        ],
      },
    ],
    [
      'has presets on, off, and under other names; a missing one keeps its default',
      { presets: { kueue: true, flyte: { usernames: ['flyte'] }, horizontalPodAutoscaler: false } },
      {
        presets: {
          garbageCollector: { usernames: GARBAGE_COLLECTORS },
          kueue: { usernames: ['system:serviceaccount:kueue-system:kueue-controller-manager'] },
          horizontalPodAutoscaler: false,
          flyte: { usernames: ['flyte'] },
        },
      },
    ],
  ])('%s', (_title, fields, expected) => {
    const complete = completePolicy(documentWith(fields));
    expect(complete).toEqual({ ...DEFAULTS, ...expected });
    expect(completePolicy(complete)).toEqual(complete);
  });
});

const kindOf = (resource: ResourceDocument): CompleteResource | undefined =>
  completePolicy(documentWith({ resources: [resource] })).resources[0];

describe('a known kind', () => {
  test.each(KNOWN_KINDS)('$resource.$group brings where its parts are', (kind) => {
    const { group, resource, podTemplates, scaleReplicasPath, suspendPath, allow } = kind;
    expect(kindOf({ group, resource })).toEqual({
      group,
      resource,
      podTemplates,
      scaleReplicasPath,
      suspendPath,
      allow,
    });
  });

  test('keeps what the file says instead, and loses what the file sets to null', () => {
    const pytorchjobs = { group: 'kubeflow.org', resource: 'pytorchjobs' };
    expect(
      kindOf({ ...pytorchjobs, podTemplates: ['/spec/x'], scaleReplicasPath: '/spec/y', allow: ['/spec/z'] }),
    ).toEqual({
      ...pytorchjobs,
      podTemplates: ['/spec/x'],
      scaleReplicasPath: '/spec/y',
      suspendPath: '/spec/runPolicy/suspend',
      allow: ['/spec/z'],
    });
    expect(kindOf({ ...pytorchjobs, podTemplates: null, scaleReplicasPath: null, suspendPath: null })).toEqual({
      ...pytorchjobs,
      podTemplates: [],
      scaleReplicasPath: null,
      suspendPath: null,
      allow: [],
    });
  });

  test.each([
    { group: 'kubeflow.org', resource: 'tfjob' },
    { group: 'example.com', resource: 'tfjobs' },
    { group: '', resource: 'jobs' },
  ])('is no $resource.$group', ({ group, resource }) => {
    expect(kindOf({ group, resource })).toEqual({
      group,
      resource,
      podTemplates: [],
      scaleReplicasPath: null,
      suspendPath: null,
      allow: [],
    });
  });
});

describe('the presets', () => {
  test('are these, and only the garbage collector’s is on', () => {
    expect(PRESETS).toEqual({
      garbageCollector: {
        title: 'the garbage collector',
        onByDefault: true,
        usernames: GARBAGE_COLLECTORS,
        paths: ['/metadata/finalizers', '/metadata/ownerReferences'],
        pathsOf: {},
        podTemplatePaths: [],
        scales: false,
        suspends: false,
      },
      kueue: {
        title: 'Kueue',
        onByDefault: false,
        usernames: ['system:serviceaccount:kueue-system:kueue-controller-manager'],
        paths: [],
        pathsOf: {
          'jobs.batch': ['/spec/parallelism', '/spec/completions'],
          'trainjobs.trainer.kubeflow.org': ['/spec/runtimePatches', '/spec/podTemplateOverrides'],
        },
        podTemplatePaths: [
          '/metadata/labels',
          '/metadata/annotations',
          '/spec/nodeSelector',
          '/spec/tolerations',
          '/spec/schedulingGates',
        ],
        scales: false,
        suspends: true,
      },
      horizontalPodAutoscaler: {
        title: 'the horizontal pod autoscaler',
        onByDefault: false,
        usernames: ['system:serviceaccount:kube-system:horizontal-pod-autoscaler', 'system:kube-controller-manager'],
        paths: [],
        pathsOf: {},
        podTemplatePaths: [],
        scales: true,
        suspends: false,
      },
      flyte: {
        title: 'Flyte',
        onByDefault: false,
        usernames: ['system:serviceaccount:flyte:flytepropeller'],
        paths: ['/metadata/finalizers'],
        pathsOf: {},
        podTemplatePaths: [],
        scales: false,
        suspends: false,
      },
    });
  });
});

describe('a compiled policy', () => {
  test('carries its hash', () => {
    const policy = completePolicy(DEFAULT_POLICY_DOCUMENT);
    expect(compilePolicy(policy).hash).toBe(policyHash(policy));
  });

  test.each([
    ['tfjobs', 'kubeflow.org', true],
    ['pytorchjobs', 'kubeflow.org', true],
    ['mpijobs', 'kubeflow.org', false],
    ['tfjobs', 'example.com', false],
    ['constructor', 'kubeflow.org', false],
  ])('guards %s of %s: %s', (resource, group, expected) => {
    expect(guardedResource(policyWith({}), group, resource) !== undefined).toBe(expected);
  });

  test('knows what everybody may change in a resource, and where its scale goes', () => {
    const policy = policyWith({
      allow: ['/metadata/labels'],
      resources: [
        { group: 'a', resource: 'b', allow: ['/spec/x~1y'], scaleReplicasPath: '/spec/replicas' },
        { group: 'a', resource: 'c' },
      ],
    });
    expect(guardedResource(policy, 'a', 'b')).toMatchObject({
      group: 'a',
      resource: 'b',
      allow: [
        ['metadata', 'labels'],
        ['spec', 'x/y'],
      ],
      scaleReplicasPath: ['spec', 'replicas'],
    });
    expect(guardedResource(policy, 'a', 'c')).toMatchObject({
      allow: [['metadata', 'labels']],
      scaleReplicasPath: undefined,
    });
  });

  test('names its exemptions: presets that are on first, then its own, in order', () => {
    const policy = policyWith({
      presets: { kueue: true, flyte: { usernames: ['x'] } },
      exemptions: [
        { name: 'b', paths: [] },
        { name: 'a', paths: [] },
      ],
    });
    expect(policy.exemptions.map(({ name }) => name)).toEqual(['garbageCollector', 'kueue', 'flyte', 'b', 'a']);
    expect(policy.dormantPresets.map(({ name }) => name)).toEqual(['horizontalPodAutoscaler']);
  });

  test.each([
    ['no usernames and no groups', {}, false],
    ['a username', { usernames: ['jane'] }, true],
    ['a group', { groups: ['admins'] }, true],
    ['a glob', { usernames: ['j*e'] }, true],
    ['another username', { usernames: ['john'] }, false],
    ['no namespaces at all', { usernames: ['jane'], namespaces: [] }, false],
    ['its namespace', { usernames: ['jane'], namespaces: ['a', 'res*'] }, true],
    ['another namespace', { usernames: ['jane'], namespaces: ['a'] }, false],
  ])('an exemption with %s covers jane, an admin, in research: %s', (_title, identity, expected) => {
    const policy = policyWith({
      presets: { garbageCollector: false },
      exemptions: [{ name: 'x', ...identity, paths: [] }],
    });
    const found = policy.exemptionsOf({ username: 'jane', groups: ['users', 'admins'] }, 'research', NOW);
    expect(policy.exemptions.map(({ rank }) => found[rank])).toEqual([expected ? 1 : 0]);
  });

  test.each([
    { expires: null, at: '2099-01-01T00:00:00Z', expected: 1 },
    { expires: '2027-01-31', at: '2027-01-30T23:59:59.999Z', expected: 1 },
    { expires: '2027-01-31', at: '2027-01-31T00:00:00Z', expected: 0 },
    { expires: '2027-01-31T18:00:00+02:00', at: '2027-01-31T15:59:59Z', expected: 1 },
    { expires: '2027-01-31T18:00:00+02:00', at: '2027-01-31T16:00:00Z', expected: 0 },
  ])('an exemption that expires $expires counts at $at: $expected', ({ expires, at, expected }) => {
    const policy = policyWith({
      presets: { garbageCollector: false },
      exemptions: [{ name: 'x', usernames: ['jane'], paths: [], expires }],
    });
    const found = policy.exemptionsOf({ username: 'jane', groups: [] }, 'research', new Date(at));
    expect(policy.exemptions.map(({ rank }) => found[rank])).toEqual([expected]);
  });

  test('knows when its exemptions expire, and whom to ask', () => {
    const policy = policyWith({
      exemptions: [{ name: 'x', usernames: ['jane'], paths: [], expires: '2027-01-31' }],
      contact: 'ask in #ml-platform',
    });
    expect(policy.exemptions.map(({ name, expiresMs }) => ({ name, expiresMs }))).toEqual([
      { name: 'garbageCollector', expiresMs: undefined },
      { name: 'x', expiresMs: Date.UTC(2027, 0, 31) },
    ]);
    expect(policy.contact).toBe('ask in #ml-platform');
  });

  test.each<[string, Partial<PolicyDocument>]>([
    ['an allowed path', { allow: ['spec'] }],
    ['a resource’s own path', { resources: [{ group: 'a', resource: 'b', allow: ['spec'] }] }],
    ['a pod template', { resources: [{ group: 'a', resource: 'b', podTemplates: ['spec'] }] }],
    ['a scale path', { resources: [{ group: 'a', resource: 'b', scaleReplicasPath: 'spec' }] }],
    ['an exempted path', { exemptions: [{ name: 'a', paths: ['spec'] }] }],
  ])('is none where %s is no JSON Pointer', (_title, fields) => {
    expect(() => policyWith(fields)).toThrow(new Error('"spec" is not a JSON Pointer'));
  });
});

test.each([
  ['kubeflow.org', 'tfjobs', 'tfjobs.kubeflow.org'],
  ['', 'pods', 'pods'],
])('the resource of group "%s" and plural %s is named %s', (group, resource, expected) => {
  expect(resourceName(group, resource)).toBe(expected);
});
