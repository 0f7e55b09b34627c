import { describe, expect, test } from '@jest/globals';
import { exactNumber, type JsonMap, type JsonValue } from '../../src/core/json.ts';
import { TF_JOB, withValue, without } from '../support/job.ts';
import { judge, policyWith, verdictOn, type Review } from '../support/review.ts';

const WORKER = '/spec/tfReplicaSpecs/Worker';
const CONTAINER = `${WORKER}/template/spec/containers/0`;

/** Judges the update of the usual TFJob to another one. */
const updated = (object: JsonMap, review: Review = {}): string[] => verdictOn({ oldObject: TF_JOB, object, ...review });

describe('containers', () => {
  const containers = `${WORKER}/template/spec/containers`;
  const first = { name: 'a', image: 'a:v1' };
  const second = { name: 'b', image: 'b:v1' };
  const list = (...items: JsonMap[]): JsonMap => withValue(TF_JOB, containers, items);

  test.each<[string, JsonMap, JsonMap, string[]]>([
    ['one is appended', list(first), list(first, second), [`add ${containers}/1`]],
    ['one is taken off the end', list(first, second), list(first), [`remove ${containers}/1`]],
    [
      'one is removed at index 0',
      list(first, second),
      list(second),
      [`replace ${containers}/0/image`, `replace ${containers}/0/name`, `remove ${containers}/1`],
    ],
    [
      'they are reordered',
      list(first, second),
      list(second, first),
      [
        `replace ${containers}/0/image`,
        `replace ${containers}/0/name`,
        `replace ${containers}/1/image`,
        `replace ${containers}/1/name`,
      ],
    ],
    ['the only one is removed', list(first), list(), [`remove ${containers}`]],
    ['one becomes null', list(first), withValue(TF_JOB, containers, [null]), [`replace ${containers}/0`]],
  ])('%s', (_title, oldObject, object, denied) => {
    expect(verdictOn({ oldObject, object })).toEqual(['deny', ...denied]);
  });
});

describe('replica types', () => {
  const specs = '/spec/tfReplicaSpecs';
  const chief = { replicas: 1 };

  test.each<[string, JsonMap, string[]]>([
    ['one is added', withValue(TF_JOB, `${specs}/Chief`, chief), [`add ${specs}/Chief`]],
    ['one is removed', without(TF_JOB, `${specs}/PS`), [`remove ${specs}/PS`]],
    ['an empty one is added', withValue(TF_JOB, `${specs}/Chief`, {}), [`add ${specs}/Chief`]],
    [
      'one is renamed',
      withValue(without(TF_JOB, `${specs}/PS`), `${specs}/Chief`, chief),
      [`add ${specs}/Chief`, `remove ${specs}/PS`],
    ],
    [
      'one is renamed in case only',
      withValue(without(TF_JOB, `${specs}/PS`), `${specs}/Ps`, chief),
      [`remove ${specs}/PS`, `add ${specs}/Ps`],
    ],
  ])('%s', (_title, object, denied) => {
    expect(updated(object)).toEqual(['deny', ...denied]);
  });

  test('one that is null is one: the operator dereferences it', () => {
    expect(updated(withValue(TF_JOB, `${specs}/Chief`, null))).toEqual(['deny', `add ${specs}/Chief`]);
  });
});

describe('an entry that comes or goes is itself the change', () => {
  interface Row {
    readonly title: string;
    readonly allow: readonly string[];
    readonly oldObject: JsonValue;
    readonly object: JsonValue;
    readonly verdict: readonly string[];
  }
  const specs = '/spec/tfReplicaSpecs';
  const annotated = { template: { metadata: { annotations: { a: 'b' } } } };
  const future = withValue(TF_JOB, '/spec/future', { a: { replicas: 1 } });
  const rows: readonly Row[] = [
    {
      title: 'a replica type made of nothing but what may change is not added',
      allow: [`${specs}/*/template/metadata/annotations`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${specs}/Evaluator`, annotated),
      verdict: ['deny', `add ${specs}/Evaluator`],
    },
    {
      title: 'nor is it removed',
      allow: [`${specs}/*/template/metadata/annotations`],
      oldObject: withValue(TF_JOB, `${specs}/Evaluator`, annotated),
      object: TF_JOB,
      verdict: ['deny', `remove ${specs}/Evaluator`],
    },
    {
      title: 'nor is one whose field is allowed by its name',
      allow: [`${specs}/Evaluator/replicas`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${specs}/Evaluator`, { replicas: 1 }),
      verdict: ['deny', `add ${specs}/Evaluator`],
    },
    {
      title: 'a container made of nothing but what may change is not added',
      allow: [`${WORKER}/template/spec/containers/*/image`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${WORKER}/template/spec/initContainers`, [{ image: 'a' }]),
      verdict: ['deny', `add ${WORKER}/template/spec/initContainers`],
    },
    {
      title: 'nor is one that is allowed by its index',
      allow: [`${WORKER}/template/spec/initContainers/0/image`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${WORKER}/template/spec/initContainers`, [{ image: 'a' }]),
      verdict: ['deny', `add ${WORKER}/template/spec/initContainers/0`],
    },
    {
      title: 'what a star stands for is not added, though Go does not know it',
      allow: ['/spec/future/*/replicas'],
      oldObject: future,
      object: withValue(future, '/spec/future/b', { replicas: 1 }),
      verdict: ['deny', 'add /spec/future/b'],
    },
    {
      title: 'what was there may change below the star',
      allow: ['/spec/future/*/replicas'],
      oldObject: future,
      object: withValue(future, '/spec/future/a', { replicas: 2 }),
      verdict: ['allow'],
    },
    {
      title: 'it is added where a path ends at it',
      allow: [`${specs}/*`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${specs}/Evaluator`, annotated),
      verdict: ['allow'],
    },
    {
      title: 'it is added where a path ends above it',
      allow: [`${WORKER}/template/spec/nodeSelector`],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, `${WORKER}/template/spec/nodeSelector`, { gpu: null }),
      verdict: ['allow'],
    },
    {
      title: 'structs between are no entries: there one descends',
      allow: [`${specs}/*/template/metadata/annotations`],
      oldObject: without(TF_JOB, `${WORKER}/template/metadata`),
      object: withValue(TF_JOB, `${WORKER}/template/metadata`, { annotations: { a: 'b' } }),
      verdict: ['allow'],
    },
    {
      title: 'a path with a star grants nothing in what another path lets come',
      allow: ['/spec/*/a', '/spec/future/b'],
      oldObject: TF_JOB,
      object: withValue(TF_JOB, '/spec/future', { a: 1, b: 1 }),
      verdict: ['deny', 'add /spec/future/a'],
    },
  ];
  test.each(rows)('$title', ({ allow, oldObject, object, verdict }) => {
    expect(verdictOn({ oldObject, object }, policyWith({ allow: [...allow] }))).toEqual(verdict);
  });
});

describe('keys of any kind', () => {
  const keys: [string, string][] = [
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['', ''],
    ['a/b~c', 'a~1b~0c'],
    ['a.b', 'a.b'],
    ['\u2028', '\u2028'],
    ['\u{1f600}', '\u{1f600}'],
  ];
  const object = (place: string, key: string, value: string): string =>
    `{"metadata": ${place === 'labels' ? `{"labels": {${JSON.stringify(key)}: ${value}}}` : '{}'},
      "spec": ${place === 'spec' ? `{${JSON.stringify(key)}: ${value}}` : '{}'}}`;

  describe.each(keys)('%j', (key, segment) => {
    test.each([
      ['added', '{}', object('spec', key, '"b"'), 'add'],
      ['changed', object('spec', key, '"a"'), object('spec', key, '"b"'), 'replace'],
      ['removed', object('spec', key, '"a"'), '{}', 'remove'],
    ])('is denied in the spec when %s', (_title, oldObject, newObject, op) => {
      expect(verdictOn({ oldObject, object: newObject })).toEqual(['deny', `${op} /spec/${segment}`]);
    });

    test.each([
      ['added', '{}', object('labels', key, '"b"')],
      ['changed', object('labels', key, '"a"'), object('labels', key, '"b"')],
      ['removed', object('labels', key, '"a"'), '{}'],
    ])('is allowed in labels when %s', (_title, oldObject, newObject) => {
      const { decision } = judge({ oldObject, object: newObject });
      expect(decision).toMatchObject({ outcome: 'allow', changes: [{ permitted: true }] });
    });

    test('is denied at the top', () => {
      const newObject = `{${JSON.stringify(key)}: {"labels": {}}}`;
      expect(verdictOn({ oldObject: '{}', object: newObject })).toEqual(['deny', `add /${segment}`]);
    });
  });
});

describe('numbers', () => {
  const spec = (number: string): string => `{"spec": {"unknown": ${number}}}`;

  test.each([
    ['1', '1.0'],
    ['1', '1e0'],
    ['0', '-0'],
    ['1e400', '10e399'],
    ['12345678901234567890', '12345678901234567890.00'],
    ['100', '1E2'],
  ])('%s and %s are the same', (before, after) => {
    expect(verdictOn({ oldObject: spec(before), object: spec(after) })).toEqual(['allow']);
  });

  test.each([
    ['9007199254740992', '9007199254740993'],
    ['1', '1.0000000000000001'],
    ['1e400', '1e401'],
    ['1e-400', '0'],
    ['12345678901234567890', '12345678901234567891'],
    ['1', '"1"'],
    ['0', 'false'],
  ])('%s and %s are not', (before, after) => {
    expect(verdictOn({ oldObject: spec(before), object: spec(after) })).toEqual(['deny', 'replace /spec/unknown']);
  });

  test('a quantity that nobody could write out is compared all the same', () => {
    const limit = (cpu: string): JsonMap => withValue(TF_JOB, `${CONTAINER}/resources/limits/cpu`, cpu);
    expect(verdictOn({ oldObject: limit('1e100000000'), object: limit('10e99999999') })).toEqual(['allow']);
    expect(verdictOn({ oldObject: limit('1e100000000'), object: limit('1e100000001') })).toEqual([
      'deny',
      `replace ${CONTAINER}/resources/limits/cpu`,
    ]);
  });

  test('that a double cannot hold are recorded to the last digit', () => {
    const { decision } = judge({ oldObject: spec('1'), object: spec('9007199254740993') });
    expect(decision).toMatchObject({ changes: [{ oldValue: 1, newValue: exactNumber('9007199254740993') }] });
  });
});
