import { describe, expect, test } from '@jest/globals';

import type { JsonValue } from '../../src/core/json.ts';
import { KNOWN_KINDS, type KnownKind } from '../../src/policy/known-kinds.ts';
import { withValue } from '../support/job.ts';
import { explained, policyWith, verdictOn, type Review } from '../support/review.ts';

const KUEUE = 'system:serviceaccount:kueue-system:kueue-controller-manager';
const JOB = { metadata: { name: 'mnist' }, spec: {} };

/** An update of one field of a job of a kind; a `*` of the field is the first entry of its map or list. */
function changeOf({ group, resource, keys }: KnownKind, path: string, before: JsonValue, after: JsonValue): Review {
  const [list = ''] = path.split('/*');
  const isList = path.includes('*') && keys[list] === undefined;
  const field = path.replace('*', isList ? '0' : 'Worker');
  const job = isList ? withValue(JOB, list, [{}]) : JOB;
  return { group, resource, oldObject: withValue(job, field, before), object: withValue(job, field, after) };
}

describe.each(KNOWN_KINDS)('named alone, $resource.$group', (kind) => {
  const { group, resource, suspendPath, podTemplates, scaleReplicasPath } = kind;
  const document = { resources: [{ group, resource }] };

  test('may be started by Kueue with its preset, and by nobody else', () => {
    const start = changeOf(kind, suspendPath, true, false);
    const policy = policyWith({ ...document, presets: { kueue: true } });
    expect(verdictOn({ ...start, username: KUEUE }, policy)).toEqual(['exempt', 'kueue']);
    expect(verdictOn(start, policy)).toEqual(['deny', expect.stringMatching(` ${suspendPath}$`)]);
  });

  test('may be edited while it is suspended, where the policy says so', () => {
    const edited = { ...withValue(JOB, suspendPath, true) };
    const review = { group, resource, oldObject: edited, object: withValue(edited, '/spec/managedBy', 'x') };
    expect(verdictOn(review, policyWith({ ...document, suspendedJobs: true }))).toEqual(['allow']);
    expect(verdictOn(review, policyWith(document))).toEqual(['deny', 'add /spec/managedBy']);
  });

  test('has its pod templates compared as Kubernetes reads them', () => {
    const policy = policyWith(document);
    const verdicts = podTemplates.map((template) =>
      verdictOn(changeOf(kind, `${template}/spec/containers`, [{ resources: {} }], [{}]), policy),
    );
    expect(verdicts).toEqual(podTemplates.map(() => ['allow']));
  });

  test('has its /scale judged, where it has one', () => {
    const scale = { subResource: 'scale', oldObject: { spec: { replicas: 1 } }, object: { spec: { replicas: 2 } } };
    const verdict = scaleReplicasPath === null ? ['unjudgeable'] : ['deny', `replace ${scaleReplicasPath}`];
    expect(verdictOn({ group, resource, ...scale }, policyWith(document))).toEqual(verdict);
  });
});

describe('what Kueue writes beside suspend and pod templates', () => {
  test.each([
    { group: 'batch', resource: 'jobs', path: '/spec/parallelism', verdict: ['exempt', 'kueue'] },
    { group: 'batch', resource: 'jobs', path: '/spec/completions', verdict: ['exempt', 'kueue'] },
    { group: 'batch', resource: 'jobs', path: '/spec/backoffLimit', verdict: ['deny', 'replace /spec/backoffLimit'] },
    {
      group: 'jobset.x-k8s.io',
      resource: 'jobsets',
      path: '/spec/parallelism',
      verdict: ['deny', 'replace /spec/parallelism'],
    },
    {
      group: 'trainer.kubeflow.org',
      resource: 'trainjobs',
      path: '/spec/runtimePatches',
      verdict: ['exempt', 'kueue'],
    },
    {
      group: 'trainer.kubeflow.org',
      resource: 'trainjobs',
      path: '/spec/podTemplateOverrides',
      verdict: ['exempt', 'kueue'],
    },
  ])('$path of $resource.$group: $verdict', ({ group, resource, path, verdict }) => {
    const policy = policyWith({ resources: [{ group, resource }], presets: { kueue: true } });
    const review = { group, resource, oldObject: withValue(JOB, path, 1), object: withValue(JOB, path, 2) };
    expect(verdictOn({ ...review, username: KUEUE }, policy)).toEqual(verdict);
  });
});

describe('what a typed client writes back is no change', () => {
  test.each([
    {
      group: 'trainer.kubeflow.org',
      resource: 'trainjobs',
      stored: { trainer: { numNodes: 2, resourcesPerNode: { limits: { cpu: '1000m' } } } },
      written: {
        trainer: { numNodes: 2, resourcesPerNode: { limits: { cpu: '1' } } },
        runtimePatches: [],
        runtimeRef: {},
      },
    },
    {
      group: 'batch',
      resource: 'jobs',
      stored: { parallelism: 2, template: { spec: { containers: [{ name: 'a' }] } } },
      written: { parallelism: 2, template: { metadata: {}, spec: { containers: [{ name: 'a', resources: {} }] } } },
    },
    {
      group: 'jobset.x-k8s.io',
      resource: 'jobsets',
      stored: { replicatedJobs: [{ name: 'a', template: { spec: { parallelism: 2 } } }] },
      written: {
        replicatedJobs: [{ name: 'a', template: { metadata: {}, spec: { parallelism: 2, template: {} } } }],
      },
    },
  ])('of $resource.$group', ({ group, resource, stored, written }) => {
    const policy = policyWith({ resources: [{ group, resource }] });
    const review = { group, resource, oldObject: { ...JOB, spec: stored }, object: { ...JOB, spec: written } };
    expect(verdictOn(review, policy)).toEqual(['allow']);
  });
});

test('everybody may write what Trainer’s webhook writes in their name', () => {
  const policy = policyWith({ resources: [{ group: 'trainer.kubeflow.org', resource: 'trainjobs' }] });
  const patched = (time: string): unknown => withValue(JOB, '/spec/runtimePatches', [{ manager: 'a', time }]);
  const review = {
    group: 'trainer.kubeflow.org',
    resource: 'trainjobs',
    oldObject: patched('1'),
    object: patched('2'),
  };
  expect(verdictOn(review, policy)).toEqual(['allow']);
});

test('what the training operator’s CRDs default counts in the group kubeflow.org alone', () => {
  const review = { oldObject: JOB, object: withValue(JOB, '/spec/runPolicy', { suspend: false }) };
  const verdicts = KNOWN_KINDS.map(({ group, resource }) => {
    const policy = policyWith({ resources: [{ group, resource }] });
    return { group, verdict: verdictOn({ group, resource, ...review }, policy) };
  });
  expect(verdicts).toEqual(
    KNOWN_KINDS.map(({ group }) => ({
      group,
      verdict: group === 'kubeflow.org' ? ['allow'] : ['deny', 'add /spec/runPolicy/suspend'],
    })),
  );
});

test('a kind that cannot be suspended gets no hint about suspending it', () => {
  const policy = policyWith({ resources: [{ group: 'example.com', resource: 'renderjobs' }] });
  const review = { group: 'example.com', resource: 'renderjobs', oldObject: JOB, object: withValue(JOB, '/spec/x', 1) };
  expect(explained(review, policy).hint).toBeUndefined();
});
