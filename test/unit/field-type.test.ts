import { describe, expect, test } from '@jest/globals';
import { childType, objectType, UNKNOWN, type FieldType } from '../../src/core/field-type.ts';
import type { Path, Pattern } from '../../src/core/path.ts';

const TEMPLATE: Pattern = ['spec', 'roles', '*', 'template'];
const typeAt = (root: FieldType, path: Path): FieldType => path.reduce<FieldType>(childType, root);

const KINDS: [string, string][] = [
  ['tfjobs', 'tfReplicaSpecs'],
  ['pytorchjobs', 'pytorchReplicaSpecs'],
  ['mpijobs', 'mpiReplicaSpecs'],
  ['xgboostjobs', 'xgbReplicaSpecs'],
  ['paddlejobs', 'paddleReplicaSpecs'],
  ['jaxjobs', 'jaxReplicaSpecs'],
];

describe.each(KINDS)('%s', (resource, replicaSpecs) => {
  const root = objectType('kubeflow.org', resource, []);
  const container = ['spec', replicaSpecs, 'Worker', 'template', 'spec', 'containers', 0];

  test.each<[string, Path, Partial<FieldType>]>([
    ['the job is a struct', [], { kind: 'struct' }],
    [
      'its replica specs are a map',
      ['spec', replicaSpecs],
      { kind: 'map', nullIsAbsent: true, emptyMapIsAbsent: false, emptyListIsAbsent: false },
    ],
    [
      'a replica spec is a struct that is never absent',
      ['spec', replicaSpecs, 'Worker'],
      { kind: 'struct', nullIsAbsent: false, emptyMapIsAbsent: false },
    ],
    [
      'replicas are behind a pointer',
      ['spec', replicaSpecs, 'Worker', 'replicas'],
      { kind: 'scalar', zero: undefined, nullIsAbsent: true, emptyListIsAbsent: false },
    ],
    ['its containers are a list', container.slice(0, -1), { kind: 'list', emptyListIsAbsent: true }],
    ['a container is a struct that is never absent', container, { kind: 'struct', emptyMapIsAbsent: false }],
    ['an image is one, and a string', [...container, 'image'], { kind: 'scalar', zero: '', isContainerImage: true }],
    ['limits are a map', [...container, 'resources', 'limits'], { kind: 'map', emptyMapIsAbsent: true }],
    [
      'a limit is a quantity',
      [...container, 'resources', 'limits', 'nvidia.com/gpu'],
      { kind: 'quantity', zero: undefined, nullIsAbsent: false },
    ],
    ['resources are a struct', [...container, 'resources'], { kind: 'struct', emptyMapIsAbsent: true }],
    ['empty metrics are no absent ones', ['spec', 'elasticPolicy', 'metrics'], { emptyListIsAbsent: false }],
    ['nor are empty rendezvous settings', ['spec', 'elasticPolicy', 'rdzvConf'], { emptyListIsAbsent: false }],
    ['suspend is false by default', ['spec', 'runPolicy', 'suspend'], { kind: 'scalar', zero: false }],
    ['a field that Go does not know is unknown', ['spec', 'backoffLimit'], UNKNOWN],
    ['and so is all below it', ['spec', 'unknown', 'a', 0, 'b'], UNKNOWN],
    ['and so is the item of a list in place of a map', ['spec', replicaSpecs, 0], UNKNOWN],
    ['and so is the entry of a map in place of a list', [...container.slice(0, -1), '0'], UNKNOWN],
    [
      'the image of a volume is no container image',
      [...container.slice(0, -2), 'volumes', 0, 'image'],
      { isContainerImage: false },
    ],
  ])('%s', (_title, path, type) => {
    expect(typeAt(root, path)).toMatchObject(type);
  });
});

describe('the metadata that the server owns', () => {
  const owned = [
    'creationTimestamp',
    'deletionGracePeriodSeconds',
    'deletionTimestamp',
    'generation',
    'managedFields',
    'resourceVersion',
    'selfLink',
    'uid',
  ];

  test.each([
    [
      'a kind that Go knows',
      objectType('kubeflow.org', 'tfjobs', []),
      ['annotations', 'finalizers', 'generateName', 'labels', 'name', 'namespace', 'ownerReferences'],
    ],
    ['another kind', objectType('example.com', 'trainings', []), []],
  ])('of %s is told from the rest', (_title, root, rest) => {
    const metadata = [...typeAt(root, ['metadata']).fields];
    expect(
      metadata
        .filter(([, type]) => type.kind === 'serverOwned')
        .map(([field]) => field)
        .sort(),
    ).toEqual(owned);
    expect(
      metadata
        .filter(([, type]) => type.kind !== 'serverOwned')
        .map(([field]) => field)
        .sort(),
    ).toEqual(rest);
  });

  test('of a pod template is a user’s', () => {
    const template = ['spec', 'tfReplicaSpecs', 'Worker', 'template', 'metadata', 'uid'];
    expect(typeAt(objectType('kubeflow.org', 'tfjobs', []), template).kind).toBe('scalar');
  });
});

describe('a kind that Go does not know', () => {
  const root = objectType('example.com', 'trainings', [TEMPLATE]);

  test.each<[string, Path, Partial<FieldType>]>([
    ['is unknown', [], { kind: 'unknown', emptyMapIsAbsent: false }],
    ['has a spec that is unknown', ['spec'], { kind: 'unknown', emptyMapIsAbsent: false }],
    ['has metadata that is unknown too', ['metadata', 'labels'], { kind: 'unknown', emptyMapIsAbsent: false }],
    [
      'has a template that is a value when empty',
      ['spec', 'roles', 'a', 'template'],
      { kind: 'struct', emptyMapIsAbsent: false },
    ],
    [
      'has pod templates where the policy says',
      ['spec', 'roles', 'a', 'template', 'spec', 'containers', 0, 'tty'],
      { zero: false },
    ],
    [
      'has them in lists too',
      ['spec', 'roles', 0, 'template', 'spec', 'containers', 0, 'image'],
      { isContainerImage: true },
    ],
    [
      'has no exception for a field called suspend',
      ['spec', 'runPolicy', 'suspend'],
      { kind: 'unknown', zero: undefined },
    ],
    ['has no prototype', ['constructor'], UNKNOWN],
  ])('%s', (_title, path, type) => {
    expect(typeAt(root, path)).toMatchObject(type);
  });
});

test('a pod template may be configured where Go knows none, and another kind keeps its own', () => {
  const root = objectType('kubeflow.org', 'tfjobs', [['spec', 'launcher']]);
  expect(typeAt(root, ['spec', 'launcher', 'spec', 'hostNetwork'])).toMatchObject({ kind: 'scalar', zero: false });
  expect(typeAt(root, ['spec', 'tfReplicaSpecs', 'PS', 'template', 'spec', 'hostNetwork'])).toMatchObject({
    zero: false,
  });
});

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
  'a resource called %s has no Go types',
  (resource) => {
    expect(objectType('kubeflow.org', resource, []).kind).toBe('unknown');
  },
);
