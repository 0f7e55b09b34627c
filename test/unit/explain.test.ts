import { describe, expect, test } from '@jest/globals';
import { describeChange, type Cause } from '../../src/core/explain.ts';
import type { Change } from '../../src/core/diff.ts';
import type { JsonMap, JsonValue } from '../../src/core/json.ts';
import { UNKNOWN } from '../../src/core/field-type.ts';
import type { Policy } from '../../src/core/policy.ts';
import {
  causeOf,
  denialOf,
  HINTS,
  MISREAD,
  refusalOf,
  UNJUDGEABLE,
  WAY_OUT,
  wayOutIn,
  wayOutOf,
  wouldDeny,
  wouldDenyBecause,
  type Wording,
} from '../support/denial-wording.ts';
import { PYTORCH_JOB, TF_JOB, withValue, without } from '../support/job.ts';
import { DEFAULT_POLICY, explained, judge, policyWith, POLICY_HASH, type Review } from '../support/review.ts';

const WORKER = '/spec/tfReplicaSpecs/Worker';
const POD = `${WORKER}/template/spec`;
const CONTAINER = `${POD}/containers/0`;
const FIELD = 'spec.tfReplicaSpecs[Worker].template.spec.containers[0]';

const MNIST = 'tfjobs.kubeflow.org "mnist"';

/** The message about changes of the usual TFJob. */
const denial = (refused: string | readonly string[], wording?: Wording): string =>
  denialOf(MNIST, [refused].flat(), wording);

const message = (review: Review, policy?: Policy): string => explained(review, policy).message;
const messageOn = (object: JsonMap, policy?: Policy): string => message({ oldObject: TF_JOB, object }, policy);
const causesOf = (review: Review): readonly Cause[] => explained(review).causes;
const warningsOf = (review: Review, policy?: Policy): readonly string[] => explained(review, policy).warnings;
const hint = (review: Review, policy?: Policy): string | undefined => explained(review, policy).hint;

const bytes = (text: string): number => Buffer.byteLength(text);

describe('the message of a denial', () => {
  const resized = withValue(TF_JOB, `${WORKER}/replicas`, 4);

  test.each<[string, JsonMap, string]>([
    ['a number', resized, 'spec.tfReplicaSpecs[Worker].replicas (2 → 4)'],
    [
      'an image',
      withValue(TF_JOB, `${CONTAINER}/image`, 'registry.example.com/mnist:v2'),
      `${FIELD}.image (registry.example.com/mnist:v1 → registry.example.com/mnist:v2)`,
    ],
    ['a number where there was none', withValue(TF_JOB, '/spec/backoffLimit', 4), 'spec.backoffLimit (unset → 4)'],
    [
      'a number that is taken away',
      without(TF_JOB, '/spec/runPolicy/backoffLimit'),
      'spec.runPolicy.backoffLimit (3 → unset)',
    ],
    [
      'a boolean',
      withValue(TF_JOB, `${POD}/hostNetwork`, true),
      'spec.tfReplicaSpecs[Worker].template.spec.hostNetwork (unset → true)',
    ],
    [
      'a text',
      withValue(TF_JOB, `${WORKER}/restartPolicy`, 'Always'),
      'spec.tfReplicaSpecs[Worker].restartPolicy (changed)',
    ],
    [
      'a map that is added',
      withValue(TF_JOB, `${POD}/containers/2`, { name: 'c' }),
      'spec.tfReplicaSpecs[Worker].template.spec.containers[2] (added)',
    ],
    ['a map that is removed', without(TF_JOB, '/spec/tfReplicaSpecs/PS'), 'spec.tfReplicaSpecs[PS] (removed)'],
    ['a text that is added', withValue(TF_JOB, '/spec/successPolicy', 'x'), 'spec.successPolicy (added)'],
    [
      'a number in place of a text',
      withValue(TF_JOB, `${WORKER}/restartPolicy`, 1),
      'spec.tfReplicaSpecs[Worker].restartPolicy (changed)',
    ],
    [
      'a list of tolerations where it was empty',
      withValue(TF_JOB, `${POD}/tolerations`, [{}]),
      'spec.tfReplicaSpecs[Worker].template.spec.tolerations (added)',
    ],
    [
      'an image that is taken away',
      without(TF_JOB, `${CONTAINER}/image`),
      `${FIELD}.image (registry.example.com/mnist:v1 → unset)`,
    ],
    [
      'several changes, in order of their paths',
      withValue(withValue(resized, `${CONTAINER}/image`, 'b'), '/spec/runPolicy/backoffLimit', 4),
      `spec.runPolicy.backoffLimit (3 → 4), spec.tfReplicaSpecs[Worker].replicas (2 → 4), ${FIELD}.image (registry.example.com/mnist:v1 → b)`,
    ],
  ])('shows %s', (_title, object, refused) => {
    expect(messageOn(object)).toBe(denial(refused));
  });

  test('shows numbers as they were written', () => {
    const spec = (number: string): string => `{"spec": {"x": ${number}}}`;
    expect(message({ oldObject: spec('9007199254740992'), object: spec('9007199254740993') })).toBe(
      denial('spec.x (9007199254740992 → 9007199254740993)'),
    );
    expect(message({ oldObject: spec('1'), object: spec(`1${'0'.repeat(100)}`) })).toBe(
      denial(`spec.x (1 → 1${'0'.repeat(31)}…${'0'.repeat(31)})`),
    );
  });

  test('names the paths that the policy and the resource allow', () => {
    const policy = policyWith({
      allow: ['/metadata/labels', '/spec/tfReplicaSpecs/*/replicas'],
      resources: [{ group: 'kubeflow.org', resource: 'tfjobs', allow: ['/spec/pause'] }],
    });
    expect(messageOn(withValue(TF_JOB, '/spec/x', true), policy)).toBe(
      denial('spec.x (unset → true)', { allowed: 'labels, spec.tfReplicaSpecs[*].replicas and pause' }),
    );
  });

  test.each([
    { allow: ['/metadata/labels'], allowed: 'labels' },
    { allow: ['/spec/suspend', '/spec/runPolicy/suspend'], allowed: 'suspend' },
    { allow: ['/spec/runPolicy', '/metadata/labels/team'], allowed: 'runPolicy and metadata.labels[team]' },
    {
      allow: [
        '/metadata/labels',
        '/spec/tfReplicaSpecs/*/template/metadata/labels',
        '/spec/template/spec/nodeSelector',
      ],
      allowed: 'labels, spec.tfReplicaSpecs[*].template.metadata.labels and spec.template.spec.nodeSelector',
    },
  ])('names $allow in short', ({ allow, allowed }) => {
    expect(messageOn(withValue(TF_JOB, '/spec/x', true), policyWith({ allow }))).toBe(
      denial('spec.x (unset → true)', { allowed }),
    );
  });

  test('names what may change in full where something of the same name was refused', () => {
    const policy = policyWith({ allow: ['/metadata/labels', '/spec/runPolicy/suspend'] });
    expect(messageOn(withValue(TF_JOB, '/spec/suspend', true), policy)).toBe(
      denial('spec.suspend (unset → true)', { allowed: 'metadata.labels and spec.runPolicy.suspend' }),
    );
  });

  test('names as few of what may change as fit', () => {
    const allow = Array.from({ length: 40 }, (_, index) => `/spec/quiteALongNameOfAField${index}`);
    const text = messageOn(resized, policyWith({ allow }));
    expect(bytes(text)).toBeLessThanOrEqual(1024);
    expect(text).toMatch(/; only quiteALongNameOfAField0, (?:\w+, )+… /);
  });

  test('says so where nothing may change', () => {
    expect(messageOn(resized, policyWith({ allow: [] }))).toBe(
      denial('spec.tfReplicaSpecs[Worker].replicas (2 → 4)', { allowed: '' }),
    );
  });

  test('of a scale is that of the job', () => {
    const scale = (replicas: number): string => `{"spec": {"replicas": ${replicas}}}`;
    const review = {
      resource: 'pytorchjobs',
      subResource: 'scale',
      name: 'bert',
      oldObject: scale(2),
      object: scale(3),
    };
    expect(message(review)).toBe(
      denialOf('pytorchjobs.kubeflow.org "bert"', ['spec.pytorchReplicaSpecs[Worker].replicas (2 → 3)'], {
        wayOut: wayOutIn('research', 'pytorchjob/bert'),
      }),
    );
  });

  test('of what cannot be judged says why', () => {
    expect(message({ oldObject: TF_JOB, object: null })).toBe(`${refusalOf(MNIST)}: ${UNJUDGEABLE.noObjects}`);
  });

  test.each<[string, Review]>([
    ['an allowed update', { oldObject: TF_JOB, object: TF_JOB }],
    ['what is out of scope', { operation: 'CREATE', object: TF_JOB }],
  ])('of %s is empty, and there are no causes', (_title, review) => {
    expect(message(review)).toBe('');
    expect(causesOf(review)).toEqual([]);
    expect(explained(review).deniedPaths).toEqual([]);
  });

  test('never says that a field is immutable: on that word tools delete and recreate the job', () => {
    expect(messageOn(resized)).not.toMatch(/immutable/i);
  });
});

describe('many changes', () => {
  const variables = (count: number, value: string): JsonMap =>
    withValue(
      TF_JOB,
      '/spec',
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${String(i).padStart(2, '0')}`, value])),
    );
  const names = Array.from({ length: 10 }, (_, index) => `spec.f0${index}`);

  test('fifty: ten are named', () => {
    const review = { oldObject: variables(50, 'a'), object: variables(50, 'b') };
    expect(message(review)).toBe(
      denial(
        names.map((name) => `${name} (changed)`),
        { more: 40 },
      ),
    );
    expect(causesOf(review)).toEqual(
      names.map((field) => ({ reason: 'FieldValueForbidden', field, message: causeOf('changed') })),
    );
    expect(explained(review).deniedPaths).toEqual(names.map((name) => `/${name.replace('.', '/')}`));
  });

  test('ten: all are named', () => {
    const text = message({ oldObject: variables(10, 'a'), object: variables(10, 'b') });
    expect(text).toBe(denial(names.map((name) => `${name} (changed)`)));
  });

  test('eleven: one is not', () => {
    expect(message({ oldObject: variables(11, 'a'), object: variables(11, 'b') })).toContain(
      'spec.f09 (changed), and 1 more;',
    );
  });

  test('with long paths: as many are named as fit, and what may change', () => {
    const images = (version: string): JsonValue =>
      Array.from({ length: 12 }, (_, index) => ({
        name: `c${index}`,
        image: `registry.example.com/some/image:${version}`,
      }));
    const oldObject = withValue(TF_JOB, `${POD}/containers`, images('v1'));
    const text = message({ oldObject, object: withValue(TF_JOB, `${POD}/containers`, images('v2')) });
    const image = (index: number): string =>
      `spec.tfReplicaSpecs[Worker].template.spec.containers[${index}].image ` +
      '(registry.example.com/some/image:v1 → registry.example.com/some/image:v2)';
    expect(text).toBe(denial([0, 1, 2, 3, 4].map(image), { more: 7 }));
    expect(bytes(text)).toBeLessThanOrEqual(1024);
  });
});

describe('what may hold a secret is not shown', () => {
  const secret = 'hunter2-and-more';
  const number = 314_159;
  test.each<[string, string, JsonValue | undefined, JsonValue]>([
    ['a variable', `${CONTAINER}/env/0/value`, 'other', secret],
    ['a variable that is a number', `${CONTAINER}/env/0/value`, 1, number],
    ['a variable that is added', `${CONTAINER}/env/1`, undefined, { name: 'A', value: secret }],
    ['an argument', `${CONTAINER}/args/0`, 'other', secret],
    ['an argument that is a number', `${CONTAINER}/args/0`, 1, number],
    ['a command', `${CONTAINER}/command/0`, 'other', secret],
    ['a command that is a number', `${CONTAINER}/command/0`, 1, number],
    ['an annotation of the pods', `${WORKER}/template/metadata/annotations/note`, 'other', secret],
    ['an annotation that is a number', `${WORKER}/template/metadata/annotations/note`, 1, number],
    ['annotations that are a number', `${WORKER}/template/metadata/annotations`, 1, number],
    ['a text anywhere', '/spec/password', 'other', secret],
    ['a text that becomes a number', '/spec/password', secret, number],
    ['a map anywhere', '/spec/password', undefined, { value: secret, number }],
    ['a list anywhere', '/spec/password', undefined, [secret, number]],
    ['an image that is no container’s', '/spec/image', 'other', secret],
    ['an image of a volume', `${POD}/volumes/0/image/reference`, 'other', secret],
    ['a container with its image', `${POD}/containers/2`, undefined, { image: secret }],
    ['an image that is no text', `${CONTAINER}/image`, 'other', { value: secret }],
    ['an env in a place of its own', '/spec/env', 1, number],
    ['something below a command in a place of its own', '/spec/command/a', 1, number],
  ])('%s', (_title, place, before, after) => {
    const oldObject = before === undefined ? TF_JOB : withValue(TF_JOB, place, before);
    const review = { oldObject, object: withValue(TF_JOB, place, after) };
    const policy = policyWith({ mode: 'warn' });
    const texts = [
      message(review),
      ...causesOf(review).flatMap(({ field, message: text }) => [field, text]),
      ...warningsOf(review, policy),
      JSON.stringify(explained(review, policy).annotations),
    ].join('\n');
    expect(texts).not.toContain(secret);
    expect(texts).not.toContain(String(number));
    expect(message(review)).toMatch(before === undefined ? / \(added\); only/ : / \(changed\); only/);
  });

  test('but a change of it is named', () => {
    const object = withValue(TF_JOB, `${CONTAINER}/env/0/value`, secret);
    expect(messageOn(object)).toBe(denial(`${FIELD}.env[0].value (changed)`));
  });
});

describe('hostile keys and values', () => {
  const long = 'x'.repeat(5_000);
  const wide = '\u6570'.repeat(5_000);
  const keys: [string, string][] = [
    ['a long key', long],
    ['a long key of wide letters', wide],
    ['a long key of emoji', '\u{1f600}'.repeat(5_000)],
    ['line breaks', 'a\nb\r\nc'],
    ['an ANSI sequence', '\u001b[2J\u001b[31mred'],
    ['marks that turn the direction of text', '\u202e\u2066x'],
    ['line separators', 'a\u2028b\u2029c'],
    ['NUL', '\0'],
    ['quotes and brackets', '"]}.x["'],
    ['nothing', ''],
    ['lone surrogates', '\ud83d'],
  ];
  const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

  const chief = { template: { spec: { containers: [{ name: 'chief' }] } } };

  function expectFit(review: Review): void {
    const warn = policyWith({ mode: 'warn' });
    const text = message(review);
    expect(bytes(text)).toBeLessThanOrEqual(1024);
    expect(text).not.toMatch(unprintable);
    const lines = warningsOf(review, warn);
    expect(lines.length).toBeLessThanOrEqual(10);
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(120);
      expect(line).not.toMatch(unprintable);
    }
    for (const cause of causesOf(review)) expect(`${cause.field} ${cause.message}`).not.toMatch(unprintable);
    for (const annotation of Object.values(explained(review, warn).annotations)) {
      expect(annotation).not.toMatch(unprintable);
      expect(annotation.length).toBeLessThanOrEqual(6_000);
    }
  }

  describe.each(keys)('%s', (_title, key) => {
    const segment = key.replaceAll('~', '~0').replaceAll('/', '~1');
    test.each<[string, JsonMap, JsonMap]>([
      ['as a field', TF_JOB, withValue(TF_JOB, `/spec/${segment}`, 1)],
      ['as a replica type', TF_JOB, withValue(TF_JOB, `/spec/tfReplicaSpecs/${segment}/replicas`, 1)],
      ['at the top', TF_JOB, withValue(TF_JOB, `/${segment}`, {})],
      [
        'many times on the way',
        withValue(TF_JOB, `/spec/deep${`/${segment}`.repeat(20)}`, 1),
        withValue(TF_JOB, `/spec/deep${`/${segment}`.repeat(20)}`, 2),
      ],
      [
        'in many fields',
        TF_JOB,
        withValue(TF_JOB, '/spec', Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${key}${index}`, 1]))),
      ],
      [
        'as images',
        withValue(TF_JOB, `${CONTAINER}/image`, `${key}1`),
        withValue(TF_JOB, `${CONTAINER}/image`, `${key}2`),
      ],
    ])('%s', (_place, oldObject, object) => {
      expectFit({ oldObject, object });
    });

    test('in all of them, for a job of the longest name', () => {
      const specs = (version: string): JsonMap => ({
        [key]: { template: { spec: { containers: [{ image: `${key}${version}` }] } } },
      });
      expectFit({
        name: 'n'.repeat(253),
        username: 'system:serviceaccount:kueue-system:kueue-controller-manager',
        oldObject: withValue(TF_JOB, '/spec/tfReplicaSpecs', specs('1')),
        object: withValue(TF_JOB, '/spec/tfReplicaSpecs', specs('2')),
      });
    });

    test('as the name of what was refused, which is named all the same', () => {
      const image = `/spec/tfReplicaSpecs/${segment}/template/spec/containers/0/image`;
      const oldObject = withValue(withValue(TF_JOB, `/spec/tfReplicaSpecs/${segment}`, chief), image, `${key}1`);
      const text = message({ name: 'n'.repeat(253), oldObject, object: withValue(oldObject, image, `${key}2`) });
      expect(text).toContain(`${refusalOf('"')}: spec.tfReplicaSpecs[`);
      expect(text.endsWith(wayOutIn('research', `tfjob/${'n'.repeat(253)}`))).toBe(true);
    });

    test('as the job’s own name', () => {
      expectFit({ name: key, oldObject: TF_JOB, object: withValue(TF_JOB, `${WORKER}/replicas`, 9) });
      expectFit({ name: key, oldObject: TF_JOB, object: null });
    });
  });

  test('allowed paths that are long leave room for what was refused', () => {
    const policy = policyWith({ allow: Array.from({ length: 20 }, (_, index) => `/spec/${wide}${index}`) });
    const text = messageOn(withValue(TF_JOB, `${WORKER}/replicas`, 4), policy);
    expect(bytes(text)).toBeLessThanOrEqual(1024);
    expect(text).toContain('spec.tfReplicaSpecs[Worker].replicas (2 → 4); only spec[');
  });

  test('line breaks in a shown image are escaped', () => {
    expect(messageOn(withValue(TF_JOB, `${CONTAINER}/image`, 'a\n\u001b[31mb'))).toContain(
      String.raw`.image (registry.example.com/mnist:v1 → a\u{a}\u{1b}[31mb); only`,
    );
  });
});

describe('the way out', () => {
  const template = '/spec/pytorchReplicaSpecs/Worker/template';
  const start: Review = {
    resource: 'pytorchjobs',
    oldObject: PYTORCH_JOB,
    object: withValue(withValue(PYTORCH_JOB, '/spec/runPolicy/suspend', false), `${template}/spec/nodeSelector`, {
      a: 'b',
    }),
  };
  const suspended = withValue(TF_JOB, '/spec/runPolicy/suspend', true);
  const finalized: Review = { oldObject: TF_JOB, object: withValue(TF_JOB, '/metadata/finalizers', ['a']) };

  const controllers: [string, Review, string][] = [
    ['Kueue', { ...start, username: 'system:serviceaccount:kueue-system:kueue-controller-manager' }, HINTS.kueue],
    ['Flyte', { ...finalized, username: 'system:serviceaccount:flyte:flytepropeller' }, HINTS.flyte],
    [
      'the autoscaler',
      { ...finalized, username: 'system:serviceaccount:kube-system:horizontal-pod-autoscaler' },
      HINTS.horizontalPodAutoscaler,
    ],
  ];
  const people: [string, Review, string][] = [
    ['whoever pauses a job', { oldObject: TF_JOB, object: suspended }, HINTS.suspend],
    ['whoever resumes a job', { oldObject: suspended, object: TF_JOB }, HINTS.suspend],
    [
      'whoever edits a suspended job',
      { oldObject: suspended, object: withValue(suspended, `${WORKER}/replicas`, 9) },
      HINTS.suspendedJob,
    ],
  ];

  test.each([
    ...controllers.map((row) => [...row, WAY_OUT] as const),
    ...people.map((row) => [...row, wayOutIn('research')] as const),
  ])('is told to %s', (_title, review, text, wayOut) => {
    expect(hint(review)).toBe(text);
    expect(message(review).endsWith(`. ${wayOut} (${text})`)).toBe(true);
    expect(bytes(message(review))).toBeLessThanOrEqual(1024);
  });

  test.each([
    'argocd-controller',
    'kustomize-controller',
    'helm-controller',
    'helm',
    'kubectl',
    'kubectl-client-side-apply',
    'kubectl-edit',
    'kubectl-replace',
  ])('for %s is the one of that tool', (fieldManager) => {
    const review = { fieldManager, oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/backoffLimit', 4) };
    const wayOut = wayOutOf(fieldManager, 'research');
    expect(message(review)).toBe(denial('spec.backoffLimit (unset → 4)', { wayOut }));
    expect(explained(review).wayOut).toBe(wayOut);
  });

  test.each(['', 'kubectl-patch', 'kubectl-edit2', '__proto__'])(
    'for the tool "%s" is that of people',
    (fieldManager) => {
      const review = { fieldManager, oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/backoffLimit', 4) };
      expect(explained(review).wayOut).toBe(wayOutIn('research'));
    },
  );

  test.each(['', 'a;reboot', '$(reboot)', '-A', 'a\nb', 'x'.repeat(254)])(
    'has no command where a shell would take a name for something else: "%s"',
    (text) => {
      const review = { oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/backoffLimit', 4) };
      expect(explained({ ...review, namespace: text }).wayOut).toBe(WAY_OUT);
      expect(explained({ ...review, name: text }).wayOut).toBe(WAY_OUT);
    },
  );

  test('names the group of a kind that is not Kubeflow’s', () => {
    const policy = policyWith({ resources: [{ group: 'batch', resource: 'jobs' }] });
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'mnist' } };
    const review = { resource: 'jobs', group: 'batch', oldObject: job, object: { ...job, spec: { x: 1 } } };
    expect(explained(review, policy).wayOut).toBe(wayOutIn('research', 'jobs.batch/mnist'));
  });

  test('is none where nothing is refused', () => {
    expect(explained({ oldObject: TF_JOB, object: TF_JOB }).wayOut).toBeUndefined();
  });

  test('is told to the garbage collector where its preset is off', () => {
    const review = { ...finalized, username: 'system:serviceaccount:kube-system:generic-garbage-collector' };
    expect(hint(review, policyWith({ presets: { garbageCollector: false } }))).toBe(HINTS.garbageCollector);
  });

  test.each<[string, Review, Policy]>([
    ['a user', { oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/x', 1) }, DEFAULT_POLICY],
    [
      'a writer whose preset is on',
      {
        ...start,
        oldObject: {},
        object: { spec: { x: 1 } },
        username: 'system:serviceaccount:kueue-system:kueue-controller-manager',
      },
      policyWith({ presets: { kueue: true } }),
    ],
    [
      'whoever changes more than the spec of a suspended job',
      { oldObject: suspended, object: withValue(withValue(suspended, '/spec/x', 1), '/metadata/finalizers', ['a']) },
      DEFAULT_POLICY,
    ],
    [
      'whoever changes the metadata of a suspended job where those may be edited',
      { oldObject: suspended, object: withValue(suspended, '/metadata/finalizers', ['a']) },
      policyWith({ suspendedJobs: true }),
    ],
    ['whoever is allowed', { oldObject: TF_JOB, object: TF_JOB }, DEFAULT_POLICY],
  ])('is not told to %s', (_title, review, policy) => {
    expect(hint(review, policy)).toBeUndefined();
  });
});

describe('the contact of a policy', () => {
  const resized = { oldObject: TF_JOB, object: withValue(TF_JOB, `${WORKER}/replicas`, 4) };
  const REFUSED = 'spec.tfReplicaSpecs[Worker].replicas (2 → 4)';

  test.each([
    { contact: 'ask in #ml-platform', sentence: 'Ask in #ml-platform.' },
    { contact: 'Who needs more? Ask Ada!', sentence: 'Who needs more? Ask Ada!' },
    { contact: 'ml@example.com', sentence: 'ml@example.com.' },
    { contact: 'https://wiki.example.com/ml first', sentence: 'https://wiki.example.com/ml first.' },
  ])('$contact: a denial ends with it as a sentence', ({ contact, sentence }) => {
    expect(message(resized, policyWith({ contact }))).toBe(denial(REFUSED, { contact: sentence }));
  });

  test('comes after a hint', () => {
    const policy = policyWith({ contact: 'ask Ada' });
    const review = { oldObject: TF_JOB, object: withValue(TF_JOB, '/spec/runPolicy/suspend', true) };
    const refused = 'spec.runPolicy.suspend (false → true)';
    expect(message(review, policy)).toBe(denial(refused, { hint: HINTS.suspend, contact: 'Ask Ada.' }));
  });

  test('ends the refusal of what cannot be judged', () => {
    const text = message({ oldObject: TF_JOB, object: null }, policyWith({ contact: 'ask Ada' }));
    expect(text).toBe(`${refusalOf(MNIST)}: ${UNJUDGEABLE.noObjects}. Ask Ada.`);
  });

  test('stays whole where the rest must be shortened', () => {
    const contact = `ask ${'界'.repeat(116)}`;
    const object = withValue(TF_JOB, `/spec/${'界'.repeat(300)}`, 1);
    const text = message({ name: '界'.repeat(253), oldObject: TF_JOB, object }, policyWith({ contact }));
    expect(bytes(text)).toBeLessThanOrEqual(1024);
    expect(text.endsWith(`A${contact.slice(1)}.`)).toBe(true);
  });

  test('is no part of an answer that refuses nothing', () => {
    const { contact, message } = explained({ oldObject: TF_JOB, object: TF_JOB }, policyWith({ contact: 'ask Ada' }));
    expect({ contact, message }).toEqual({ contact: undefined, message: '' });
  });
});

describe('a change in words', () => {
  test.each<[string, Change, string]>([
    ['a number', { op: 'replace', path: ['spec', 'x'], oldValue: 1, newValue: 2 }, 'spec.x (1 → 2)'],
    [
      'an image, which is not known to be one',
      { op: 'add', path: ['image'], oldValue: undefined, newValue: 'a' },
      'image (added)',
    ],
  ])('of an object of which nothing is known: %s', (_title, change, text) => {
    expect(describeChange(change, UNKNOWN)).toBe(text);
  });
});

describe('causes', () => {
  test('are those that the message names, in its order', () => {
    const object = withValue(withValue(TF_JOB, `${WORKER}/replicas`, 4), `${CONTAINER}/args/0`, 'x');
    expect(causesOf({ oldObject: TF_JOB, object: withValue(object, '/metadata/labels', {}) })).toEqual([
      {
        reason: 'FieldValueForbidden',
        field: 'spec.tfReplicaSpecs[Worker].replicas',
        message: causeOf('2 → 4'),
      },
      { reason: 'FieldValueForbidden', field: `${FIELD}.args[0]`, message: causeOf('changed') },
    ]);
  });
});

describe('warnings of values that the operator misreads', () => {
  const misread = withValue(
    withValue(TF_JOB, '/spec/runPolicy/cleanPodPolicy', 'Always'),
    '/spec/runPolicy/ttlSecondsAfterFinished',
    -1,
  );

  test('come with an update that is allowed', () => {
    expect(judge({ oldObject: TF_JOB, object: misread }).decision.outcome).toBe('allow');
    expect(warningsOf({ oldObject: TF_JOB, object: misread })).toEqual([
      `spec.runPolicy.cleanPodPolicy ${MISREAD.cleanPodPolicy}`,
      `spec.runPolicy.ttlSecondsAfterFinished ${MISREAD.seconds}`,
    ]);
  });

  test('come with a denial for another reason too', () => {
    const object = withValue(misread, `${WORKER}/replicas`, 9);
    expect(warningsOf({ oldObject: TF_JOB, object })).toHaveLength(2);
  });

  test('do not come for a value that was there before', () => {
    expect(warningsOf({ oldObject: misread, object: withValue(misread, '/metadata/labels', {}) })).toEqual([]);
  });

  test('do not come where the field may not change at all', () => {
    expect(warningsOf({ oldObject: TF_JOB, object: misread }, policyWith({ allow: ['/metadata/labels'] }))).toEqual([]);
  });

  test('come for a change that mode audit does not refuse', () => {
    const policy = policyWith({ mode: 'audit', allow: ['/metadata/labels'] });
    expect(warningsOf({ oldObject: TF_JOB, object: misread }, policy)).toEqual(
      warningsOf({ oldObject: TF_JOB, object: misread }),
    );
  });

  test('do not come for values that it understands', () => {
    const object = withValue(TF_JOB, '/spec/runPolicy/cleanPodPolicy', 'Running');
    expect(warningsOf({ oldObject: TF_JOB, object })).toEqual([]);
  });
});

describe('warnings of what would be denied', () => {
  const warn = policyWith({ mode: 'warn' });
  const resized = withValue(TF_JOB, `${WORKER}/replicas`, 4);

  test('one a path, then a summary', () => {
    const object = withValue(resized, `${WORKER}/restartPolicy`, 'Always');
    expect(warningsOf({ oldObject: TF_JOB, object }, warn)).toEqual([
      `spec.tfReplicaSpecs[Worker].replicas ${causeOf('2 → 4')}`,
      `spec.tfReplicaSpecs[Worker].restartPolicy ${causeOf('changed')}`,
      wouldDeny(2),
    ]);
  });

  test('with the way out as a warning of its own', () => {
    const object = withValue(TF_JOB, '/spec/runPolicy/suspend', true);
    expect(warningsOf({ oldObject: TF_JOB, object }, warn)).toEqual([
      `spec.runPolicy.suspend ${causeOf('false → true')}`,
      wouldDeny(1),
      HINTS.suspend,
    ]);
  });

  test('at most ten, those of misread values included', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, 1]));
    const object = withValue(withValue(TF_JOB, '/spec/many', 1), '/metadata', many);
    const lines = warningsOf(
      { oldObject: TF_JOB, object: withValue(object, '/spec/runPolicy/cleanPodPolicy', 'x') },
      warn,
    );
    expect(lines).toHaveLength(10);
    expect(lines[0]).toContain(MISREAD.cleanPodPolicy);
    expect(lines[1]).toBe(`metadata.f0 ${causeOf('unset → 1')}`);
    expect(lines[9]).toBe(wouldDeny(53));
  });

  test('of what cannot be judged', () => {
    expect(warningsOf({ oldObject: TF_JOB, object: null }, warn)).toEqual([wouldDenyBecause(UNJUDGEABLE.noObjects)]);
  });

  test('end with the contact of the policy', () => {
    const policy = policyWith({ mode: 'warn', contact: 'ask in #ml-platform' });
    const suspended = withValue(TF_JOB, '/spec/runPolicy/suspend', true);
    expect(warningsOf({ oldObject: TF_JOB, object: suspended }, policy).slice(-2)).toEqual([
      HINTS.suspend,
      'Ask in #ml-platform.',
    ]);
    expect(warningsOf({ oldObject: TF_JOB, object: null }, policy)).toEqual([
      wouldDenyBecause(UNJUDGEABLE.noObjects),
      'Ask in #ml-platform.',
    ]);
  });

  test('name fewer changes where there is a contact, so that ten are enough', () => {
    const policy = policyWith({ mode: 'warn', contact: 'ask in #ml-platform' });
    const names = Array.from({ length: 50 }, (_, index) => `x${index}`);
    const object = names.reduce((job, name) => withValue(job, `/spec/${name}`, 1), TF_JOB);
    const lines = warningsOf({ oldObject: TF_JOB, object }, policy);
    expect([lines.length, lines.at(-1)]).toEqual([10, 'Ask in #ml-platform.']);
  });

  test.each<[string, Review, Policy]>([
    ['in mode enforce', { oldObject: TF_JOB, object: resized }, DEFAULT_POLICY],
    ['in mode audit', { oldObject: TF_JOB, object: resized }, policyWith({ mode: 'audit' })],
    ['of what is allowed', { oldObject: TF_JOB, object: TF_JOB }, warn],
    ['of what is out of scope', { operation: 'CREATE', object: TF_JOB }, warn],
    ['of what cannot be judged, in mode enforce', { oldObject: TF_JOB, object: null }, DEFAULT_POLICY],
  ])('none %s', (_title, review, policy) => {
    expect(warningsOf(review, policy)).toEqual([]);
  });
});

describe('audit annotations', () => {
  const resized: Review = { oldObject: TF_JOB, object: withValue(TF_JOB, `${WORKER}/replicas`, 4) };
  const exempting = policyWith({
    exemptions: [
      { name: 'a', usernames: ['jane'], paths: [`${WORKER}/replicas`] },
      { name: 'b', usernames: ['jane'], paths: ['/spec/x'] },
    ],
  });

  test.each<[string, Review, Policy, Record<string, string>]>([
    [
      'of what is allowed',
      { oldObject: TF_JOB, object: TF_JOB },
      DEFAULT_POLICY,
      { decision: 'allow', mode: 'enforce', policy: POLICY_HASH },
    ],
    [
      'of a denial',
      resized,
      DEFAULT_POLICY,
      {
        decision: 'deny',
        mode: 'enforce',
        'denied-paths': '["/spec/tfReplicaSpecs/Worker/replicas"]',
        'denied-count': '1',
        policy: POLICY_HASH,
      },
    ],
    [
      'of a denial in mode warn',
      resized,
      policyWith({ mode: 'warn' }),
      {
        decision: 'deny',
        mode: 'warn',
        'denied-paths': '["/spec/tfReplicaSpecs/Worker/replicas"]',
        'denied-count': '1',
        policy: POLICY_HASH,
      },
    ],
    [
      'of what is exempt',
      { ...resized, object: withValue(withValue(TF_JOB, `${WORKER}/replicas`, 4), '/spec/x', 1) },
      exempting,
      { decision: 'exempt', mode: 'enforce', exemption: 'a,b', policy: POLICY_HASH },
    ],
    [
      'of what is out of scope',
      { operation: 'CREATE' },
      DEFAULT_POLICY,
      { decision: 'out_of_scope', mode: 'enforce', policy: POLICY_HASH },
    ],
    [
      'of what cannot be judged',
      { oldObject: TF_JOB, object: null },
      policyWith({ mode: 'audit' }),
      { decision: 'unjudgeable', mode: 'audit', policy: POLICY_HASH },
    ],
  ])('%s', (_title, review, policy, expected) => {
    const { annotations } = explained(review, policy);
    expect(annotations).toEqual(expected);
    for (const key of Object.keys(annotations)) {
      expect(key).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
    }
  });

  test('name ten pointers and count all', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index + 10}`, 1]));
    const review = { oldObject: {}, object: { status: many } };
    const { annotations } = explained({ ...review, oldObject: { status: { held: 1 } } });
    expect(annotations['denied-count']).toBe('51');
    expect(JSON.parse(annotations['denied-paths'] ?? '')).toEqual(
      Array.from({ length: 10 }, (_, index) => `/status/f${index + 10}`),
    );
  });
});
