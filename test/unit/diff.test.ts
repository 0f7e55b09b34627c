import { describe, expect, test } from '@jest/globals';
import { diff, type Change, type IsMixed } from '../../src/core/diff.ts';
import { objectType, UNKNOWN, type FieldType } from '../../src/core/field-type.ts';
import { exactNumber, isMap, type JsonMap, parseJson } from '../../src/core/json.ts';
import { pointer } from '../../src/core/path.ts';

const TF_JOBS = objectType('kubeflow.org', 'tfjobs', []);
const nothingBelow: IsMixed = () => false;

function objectOf(text: string): JsonMap {
  const object = parseJson(text);
  if (!isMap(object)) throw new Error(`${text} is no object`);
  return object;
}

function changes(before: string, after: string, type: FieldType = UNKNOWN, isMixed = nothingBelow): Change[] {
  const found: Change[] = [];
  diff(objectOf(before), objectOf(after), type, {
    isMixed,
    report: (difference, path) => found.push({ ...difference, path: [...path] }),
  });
  return found;
}

/** Writes changes as lines: `add /spec/a`. */
function lines(found: readonly Change[]): string[] {
  return found.map(({ op, path }) => `${op} ${pointer(path)}`);
}

describe('one change', () => {
  test.each<[string, string, string, Change]>([
    ['added', '{}', '{"a": 1}', { op: 'add', path: ['a'], oldValue: undefined, newValue: 1 }],
    ['removed', '{"a": 1}', '{}', { op: 'remove', path: ['a'], oldValue: 1, newValue: undefined }],
    ['replaced', '{"a": 1}', '{"a": 2}', { op: 'replace', path: ['a'], oldValue: 1, newValue: 2 }],
    ['in a list', '{"a": [1, 2]}', '{"a": [1, 3]}', { op: 'replace', path: ['a', 1], oldValue: 2, newValue: 3 }],
    [
      'with exact numbers',
      '{"a": 9007199254740992}',
      '{"a": 9007199254740993}',
      {
        op: 'replace',
        path: ['a'],
        oldValue: exactNumber('9007199254740992'),
        newValue: exactNumber('9007199254740993'),
      },
    ],
    [
      'with null in place of what was there',
      '{"a": {"b": 1}}',
      '{"a": null}',
      { op: 'remove', path: ['a'], oldValue: { b: 1 }, newValue: undefined },
    ],
    ['from an empty list', '{"a": []}', '{"a": [1]}', { op: 'add', path: ['a'], oldValue: undefined, newValue: [1] }],
  ])('%s', (_title, before, after, change) => {
    expect(changes(before, after)).toStrictEqual([change]);
  });
});

describe('no change', () => {
  test.each([
    ['the same object', '{"a": {"b": [1, "x", true, null, {}]}}', '{"a": {"b": [1, "x", true, null, {}]}}'],
    ['the order of keys', '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'],
    ['null and absent', '{"a": null}', '{}'],
    ['null and absent, deeper', '{"a": {"b": null, "c": 1}}', '{"a": {"c": 1}}'],
    ['an empty list and absent', '{"a": []}', '{}'],
    ['an empty list and null', '{"a": []}', '{"a": null}'],
    ['numbers written otherwise', '{"a": [1, 10, 0]}', '{"a": [1.0, 1e1, -0]}'],
    ['long numbers written otherwise', '{"a": 12345678901234567890}', '{"a": 12345678901234567890.0}'],
    ['the same long number', '{"a": [1e400]}', '{"a": [1e400]}'],
  ])('%s', (_title, before, after) => {
    expect(changes(before, after)).toEqual([]);
    expect(changes(after, before)).toEqual([]);
  });
});

describe('objects nested as deeply as the API server takes them, on the stack of the main thread', () => {
  const LEVELS = 10_000;
  const maps = (inner: string): string => `{"a": ${'{"a":'.repeat(LEVELS)}${inner}${'}'.repeat(LEVELS)}}`;
  const lists = (inner: string): string => `{"a": ${'['.repeat(LEVELS)}${inner}${']'.repeat(LEVELS)}}`;

  test.each([
    { title: 'maps', nest: maps, depth: LEVELS + 1 },
    { title: 'lists', nest: lists, depth: LEVELS + 1 },
  ])('$title that are equal, and that differ at the bottom', ({ nest, depth }) => {
    expect(changes(nest('1'), nest('1'))).toEqual([]);
    expect(changes(nest('1'), nest('2')).map(({ path }) => path.length)).toEqual([depth]);
  });
});

describe('where the topmost difference lies', () => {
  test.each<[string, string, string, string[]]>([
    ['an added map is one change', '{}', '{"a": {"b": 1, "c": 2}}', ['add /a']],
    ['a removed map is one change', '{"a": {"b": {"c": 2}}}', '{}', ['remove /a']],
    ['an added map among others', '{"a": {"b": 1}}', '{"a": {"b": 1, "c": {"d": 1}}}', ['add /a/c']],
    ['an appended item', '{"a": [{"n": 1}]}', '{"a": [{"n": 1}, {"n": 2}]}', ['add /a/1']],
    ['items taken off the end', '{"a": [1, 2, 3]}', '{"a": [1]}', ['remove /a/1', 'remove /a/2']],
    [
      'an item put in front shifts the others',
      '{"a": [1, 2]}',
      '{"a": [0, 1, 2]}',
      ['replace /a/0', 'replace /a/1', 'add /a/2'],
    ],
    ['items in another order', '{"a": [1, 2, 3]}', '{"a": [1, 3, 2]}', ['replace /a/1', 'replace /a/2']],
    [
      'maps in a list are compared by position',
      '{"a": [{"n": 1, "v": 1}, {"n": 2}]}',
      '{"a": [{"n": 1, "v": 2}, {"n": 2}]}',
      ['replace /a/0/v'],
    ],
    ['a null in a list counts', '{"a": [null]}', '{"a": []}', ['remove /a']],
    ['a null among items counts', '{"a": [1, null]}', '{"a": [1]}', ['remove /a/1']],
    ['a null in place of an empty map in a list', '{"a": [{}]}', '{"a": [null]}', ['replace /a/0']],
    ['an empty list in a list counts', '{"a": [1, []]}', '{"a": [1]}', ['remove /a/1']],
    ['an empty list in place of null in a list', '{"a": [[]]}', '{"a": [null]}', ['replace /a/0']],
    ['a map in place of a list', '{"a": {"b": 1}}', '{"a": [1]}', ['replace /a']],
    ['a list in place of a scalar', '{"a": "b"}', '{"a": ["b"]}', ['replace /a']],
    ['a scalar in place of a map', '{"a": {"b": 1}}', '{"a": 1}', ['replace /a']],
    ['a number in place of its text', '{"a": 1}', '{"a": "1"}', ['replace /a']],
    ['an exact number in place of a map', '{"a": {}}', '{"a": 1e400}', ['replace /a']],
    ['an empty map counts where Go knows none', '{"a": {}}', '{}', ['remove /a']],
    ['a map for an item that had none', '{"a": [1]}', '{"a": [{}]}', ['replace /a/0']],
  ])('%s', (_title, before, after, expected) => {
    expect(lines(changes(before, after))).toEqual(expected);
  });

  test('changes are ordered by path, indexes by number', () => {
    const items = Array.from({ length: 12 }, (_, index) => index);
    const before = JSON.stringify({ b: items, a: 1, c: { z: 1, y: 1 } });
    const after = JSON.stringify({ c: { y: 2, z: 2 }, b: items.map((item) => item + 1), a: 2 });
    expect(lines(changes(before, after))).toEqual([
      'replace /a',
      ...items.map((index) => `replace /b/${index}`),
      'replace /c/y',
      'replace /c/z',
    ]);
  });
});

describe('keys of any kind', () => {
  const keys: [string, string][] = [
    ['__proto__', '/__proto__'],
    ['constructor', '/constructor'],
    ['toString', '/toString'],
    ['hasOwnProperty', '/hasOwnProperty'],
    ['', '/'],
    ['a/b~c', '/a~1b~0c'],
    ['a.b', '/a.b'],
    ['0', '/0'],
    ['-', '/-'],
    ['*', '/*'],
    ['\u2028', '/\u2028'],
    ['\u{1f600}', '/\u{1f600}'],
    ['\ud83d', '/\ud83d'],
  ];

  test.each(keys)('%j is seen when added, changed and removed', (key, place) => {
    const before = `{${JSON.stringify(key)}: {"a": 1}}`;
    const after = `{${JSON.stringify(key)}: {"a": 2}}`;
    expect(lines(changes('{}', before))).toEqual([`add ${place}`]);
    expect(lines(changes(before, after))).toEqual([`replace ${place}/a`]);
    expect(lines(changes(before, '{}'))).toEqual([`remove ${place}`]);
    expect(changes(before, before)).toEqual([]);
  });

  test('a key with a slash is not a path', () => {
    expect(changes('{"a/b": 1}', '{"a": {"b": 1}}')).toStrictEqual([
      { op: 'add', path: ['a'], oldValue: undefined, newValue: { b: 1 } },
      { op: 'remove', path: ['a/b'], oldValue: 1, newValue: undefined },
    ]);
  });

  test('a key __proto__ of one object is not the prototype of the other', () => {
    expect(lines(changes('{"a": {}}', '{"a": {"__proto__": {"b": 1}}}'))).toEqual(['add /a/__proto__']);
    expect(lines(changes('{"a": {"__proto__": {}}}', '{"a": {"b": {}}}'))).toEqual(['remove /a/__proto__', 'add /a/b']);
    expect(lines(changes('{"a": {"b": 1}}', '{"a": {"__proto__": {"b": 1}}}'))).toEqual([
      'add /a/__proto__',
      'remove /a/b',
    ]);
  });
});

describe('what Go reads as absent', () => {
  const container = (fields: string): string =>
    `{"spec": {"tfReplicaSpecs": {"PS": {"template": {"spec": {"hostNetwork": true, "containers": [${fields}]}}}}}}`;
  const place = '/spec/tfReplicaSpecs/PS/template/spec/containers';

  test.each<[string, string, string, string[]]>([
    [
      'an empty list that gets an item is added',
      '{"tolerations": []}',
      '{"tolerations": [{}]}',
      ['add /0/tolerations'],
    ],
    [
      'an empty struct that gets a field is added',
      '{"resources": {}}',
      '{"resources": {"limits": {"cpu": 1}}}',
      ['add /0/resources'],
    ],
    [
      'a struct of zeros that gets a field is added',
      '{"resources": {"limits": null}}',
      '{"resources": {"limits": {"cpu": 1}}}',
      ['add /0/resources'],
    ],
    ['an empty string that gets a value is added', '{"image": ""}', '{"image": "a"}', ['add /0/image']],
    ['a value that becomes empty is removed', '{"image": "a"}', '{"image": ""}', ['remove /0/image']],
    ['a field that becomes false is removed', '{"tty": true}', '{"tty": false}', ['remove /0/tty']],
    [
      'an entry of zero is added to limits',
      '{"resources": {"limits": {"gpu": 1}}}',
      '{"resources": {"limits": {"gpu": 1, "cpu": 0}}}',
      ['add /0/resources/limits/cpu'],
    ],
    [
      'quantities are compared as such',
      '{"resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}}}',
      '{"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}',
      [],
    ],
    [
      'and differ as such',
      '{"resources": {"limits": {"cpu": "1000m"}}}',
      '{"resources": {"limits": {"cpu": "1001m"}}}',
      ['replace /0/resources/limits/cpu'],
    ],
    [
      'a limit of null is added',
      '{"resources": {"limits": {"gpu": 1}}}',
      '{"resources": {"limits": {"gpu": 1, "cpu": null}}}',
      ['add /0/resources/limits/cpu'],
    ],
    [
      'a limit of null is removed',
      '{"resources": {"limits": {"cpu": null}}}',
      '{"resources": {}}',
      ['remove /0/resources'],
    ],
    [
      'a limit of null is no limit of zero',
      '{"resources": {"limits": {"cpu": null}}}',
      '{"resources": {"limits": {"cpu": "0"}}}',
      ['replace /0/resources/limits/cpu'],
    ],
    ['null at a field is nothing', '{"name": "a", "tty": null, "args": null}', '{"name": "a"}', []],
    ['the only container that goes', '{"name": "a"}', '', ['remove ']],
    ['the first container that comes', '', '{"name": "a"}', ['add ']],
    ['an empty container beside another', '{"name": "a"}', '{"name": "a"}, {}', ['add /1']],
  ])('%s', (_title, before, after, expected) => {
    expect(lines(changes(container(before), container(after), TF_JOBS))).toEqual(
      expected.map((line) => line.replace(' ', ` ${place}`)),
    );
  });
});

describe('what was written where Go reads it as absent', () => {
  interface Row {
    readonly title: string;
    readonly before: string;
    readonly after: string;
    readonly change: Omit<Change, 'path'>;
  }
  const rows: readonly Row[] = [
    {
      title: 'false in place of true is a removal that shows it',
      before: '{"tty": true}',
      after: '{"tty": false}',
      change: { op: 'remove', oldValue: true, newValue: false },
    },
    {
      title: 'true in place of false is an addition that shows it',
      before: '{"tty": false}',
      after: '{"tty": true}',
      change: { op: 'add', oldValue: false, newValue: true },
    },
    {
      title: 'zero is shown',
      before: '{"ports": [{"name": "a", "hostPort": 80}]}',
      after: '{"ports": [{"name": "a", "hostPort": 0}]}',
      change: { op: 'remove', oldValue: 80, newValue: 0 },
    },
    {
      title: 'so is a zero that no double is written like',
      before: '{"ports": [{"name": "a", "hostPort": 80}]}',
      after: '{"ports": [{"name": "a", "hostPort": 0e1000}]}',
      change: { op: 'remove', oldValue: 80, newValue: exactNumber('0e1000') },
    },
    {
      title: 'null is not',
      before: '{"tty": true}',
      after: '{"tty": null}',
      change: { op: 'remove', oldValue: true, newValue: undefined },
    },
    {
      title: 'nor is an empty text',
      before: '{"image": ""}',
      after: '{"image": "a"}',
      change: { op: 'add', oldValue: undefined, newValue: 'a' },
    },
    {
      title: 'nor is an empty list',
      before: '{"args": []}',
      after: '{"args": ["a"]}',
      change: { op: 'add', oldValue: undefined, newValue: ['a'] },
    },
  ];

  test.each(rows)('$title', ({ before, after, change }) => {
    const job = (container: string): string =>
      `{"spec": {"tfReplicaSpecs": {"PS": {"template": {"spec": {"containers": [${container}]}}}}}}`;
    const found = changes(job(before), job(after), TF_JOBS);
    expect(found.map(({ op, oldValue, newValue }) => ({ op, oldValue, newValue }))).toEqual([change]);
  });
});

describe('where something below may change', () => {
  const mixed =
    (...pointers: string[]): IsMixed =>
    (path) =>
      pointers.includes(pointer(path));

  test.each<[string, string, string, string[], string[]]>([
    ['an added map is named by its contents', '{}', '{"a": {"b": 1, "c": {"d": 2}}}', ['/a'], ['add /a/b', 'add /a/c']],
    ['a removed map is named by its contents', '{"a": {"b": 1, "c": 2}}', '{}', ['/a'], ['remove /a/b', 'remove /a/c']],
    ['and so on below', '{}', '{"a": {"b": 1, "c": {"d": 2}}}', ['/a', '/a/c'], ['add /a/b', 'add /a/c/d']],
    ['an added list is named by its items', '{}', '{"a": [1, 2]}', ['/a'], ['add /a/0', 'add /a/1']],
    ['a removed list is named by its items', '{"a": [1, 2]}', '{}', ['/a'], ['remove /a/0', 'remove /a/1']],
    ['an empty map has no contents and is named itself', '{}', '{"a": {}}', ['/a'], ['add /a']],
    ['so is a map of nothing but nulls', '{"a": {"b": null}}', '{}', ['/a'], ['remove /a']],
    ['so is a scalar', '{}', '{"a": 1}', ['/a'], ['add /a']],
    ['so is an exact number', '{"a": 1e400}', '{}', ['/a'], ['remove /a']],
    ['a change of type is one change', '{"a": {"b": 1}}', '{"a": [1]}', ['/a'], ['replace /a']],
  ])('%s', (_title, before, after, pointers, expected) => {
    expect(lines(changes(before, after, UNKNOWN, mixed(...pointers)))).toEqual(expected);
  });

  interface Row {
    readonly title: string;
    readonly type: FieldType;
    readonly before: string;
    readonly after: string;
    readonly expected: readonly string[];
  }
  const replicas = (specs: string): string => `{"spec": {"tfReplicaSpecs": ${specs}}}`;
  const rows: readonly Row[] = [
    {
      title: 'an entry of a Go map that comes is one change',
      type: TF_JOBS,
      before: replicas('{"PS": {"replicas": 1}}'),
      after: replicas('{"PS": {"replicas": 1}, "Worker": {"replicas": 2}}'),
      expected: ['add /spec/tfReplicaSpecs/Worker since 3'],
    },
    {
      title: 'an entry of a Go map that goes is one change',
      type: TF_JOBS,
      before: replicas('{"PS": {"replicas": 1}, "Worker": {"replicas": 2}}'),
      after: replicas('{"PS": {"replicas": 1}}'),
      expected: ['remove /spec/tfReplicaSpecs/Worker since 3'],
    },
    {
      title: 'an entry that stays is named by its contents',
      type: TF_JOBS,
      before: replicas('{"PS": {"replicas": 1}}'),
      after: replicas('{"PS": {"replicas": 1, "template": {"metadata": {"name": "a"}}}}'),
      expected: ['add /spec/tfReplicaSpecs/PS/template/metadata/name since 4'],
    },
    {
      title: 'a Go map that comes is a field, and is named by its entries',
      type: TF_JOBS,
      before: '{}',
      after: replicas('{"PS": {"replicas": 1}, "Worker": {}}'),
      expected: ['add /spec/tfReplicaSpecs/PS since 1', 'add /spec/tfReplicaSpecs/Worker since 1'],
    },
    {
      title: 'an item of a list that comes is one change, whatever the list is',
      type: UNKNOWN,
      before: '{"a": [{"b": 1}]}',
      after: '{"a": [{"b": 1}, {"b": 2}]}',
      expected: ['add /a/1 since 2'],
    },
    {
      title: 'what was there and still is comes with nothing',
      type: UNKNOWN,
      before: '{"a": {"b": 1}}',
      after: '{"a": {"b": 2}}',
      expected: ['replace /a/b since Infinity'],
    },
  ];
  test.each(rows)('$title', ({ type, before, after, expected }) => {
    const found: string[] = [];
    diff(objectOf(before), objectOf(after), type, {
      isMixed: () => true,
      report: ({ op }, path, since) => found.push(`${op} ${pointer(path)} since ${since}`),
    });
    expect(found).toEqual(expected);
  });

  test('it is asked how much of a path comes or goes', () => {
    const asked: string[] = [];
    const isMixed: IsMixed = (path, since) => {
      asked.push(`${pointer(path)} since ${since}`);
      return true;
    };
    changes('{"a": {}}', '{"a": {"b": {"c": {"d": 1}}}}', UNKNOWN, isMixed);
    expect(asked).toEqual(['/a/b since 2', '/a/b/c since 2']);
  });
});
