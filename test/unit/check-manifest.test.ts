import { describe, expect, test } from '@jest/globals';

import { ManifestError, parseObjects, parseValue } from '../../src/kube/manifest.ts';
import { exactNumber, isExactNumber, isMap, type JsonMap, type JsonValue } from '../../src/core/json.ts';

function problemsOf(text: string): readonly string[] {
  try {
    parseObjects(text, 'job.yaml');
  } catch (error) {
    if (error instanceof ManifestError) return error.problems;
    throw error;
  }
  return [];
}

function mapOf(text: string): JsonMap {
  const value = parseValue(text, 'job.yaml');
  return isMap(value) ? value : {};
}

/** Reads one value; a number that only its text can hold comes as `exact TEXT`. */
function valueOf(yaml: string): unknown {
  const value = mapOf(`a: ${yaml}\n`)['a'];
  return isExactNumber(value) ? `exact ${value.source}` : value;
}

describe('scalars mean what they mean to kubectl', () => {
  test.each<[string, JsonValue]>([
    ['1', 1],
    ['-0', -0],
    ['+12', 12],
    ['1_000', 1000],
    ['0644', 420],
    ['-010', -8],
    ['0o17', 15],
    ['0O17', 15],
    ['0x1F', 31],
    ['-0X10', -16],
    ['0b101', 5],
    ['00', 0],
    ['08', 8],
    ['.5', 0.5],
    ['-.5', -0.5],
    ['1.', 1],
    ['1e3', 1000],
    ['01.50', 1.5],
    ['yes', true],
    ['On', true],
    ['n', false],
    ['OFF', false],
    ['true', true],
    ['~', null],
    ['', null],
    ['Null', null],
    ['"0644"', '0644'],
    ["'yes'", 'yes'],
    ['!!str 12', '12'],
    ['yEs', 'yEs'],
    ['1:30', '1:30'],
    ['2020-01-01', '2020-01-01'],
    ['_1', '_1'],
    ['-_1', -1],
    ['e5', 'e5'],
    ['+', '+'],
    ['.', '.'],
    ['0x', '0x'],
    ['1.2.3', '1.2.3'],
    ['1e', '1e'],
    ['.5_0', 0.5],
    ['.inf_', '.inf_'],
    ['=', '='],
    ['|\n  0644', '0644\n'],
  ])('%s', (yaml, value) => {
    expect(valueOf(yaml)).toEqual(value);
  });

  test.each([
    ['9007199254740993', 'exact 9007199254740993'],
    ['-9007199254740993', 'exact -9007199254740993'],
    ['12345678901234567890123', 'exact 12345678901234567890123'],
    ['0x20000000000001', 'exact 9007199254740993'],
    ['0.1000000000000000055', 'exact 0.1000000000000000055'],
    ['1e400', 'exact 1e400'],
    ['9_007_199_254_740_993', 'exact 9007199254740993'],
  ])('%s keeps every digit', (yaml, value) => {
    expect(valueOf(yaml)).toBe(value);
  });

  test('the same numbers are the same in JSON', () => {
    expect(parseValue('{"a": 9007199254740993, "b": 1e400}', 'job.json')).toEqual({
      a: exactNumber('9007199254740993'),
      b: exactNumber('1e400'),
    });
  });
});

describe('keys are text', () => {
  test.each([
    ['1', '1'],
    ['1.50', '1.5'],
    ['on', 'true'],
    ['9007199254740993', '9007199254740993'],
    ['"on"', 'on'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['a/b~c', 'a/b~c'],
    ['""', ''],
  ])('%s', (yaml, key) => {
    expect(Object.entries(mapOf(`${yaml}: x\n`))).toEqual([[key, 'x']]);
  });

  test('null is no key', () => {
    expect(problemsOf('a: 1\n~: 2\n')).toEqual(['job.yaml:2:1: a key must be text']);
  });
});

describe('anchors, aliases and merge keys', () => {
  test.each([
    ['an alias stands for its anchor', 'a: &x {b: [1]}\nc: *x\n', { a: { b: [1] }, c: { b: [1] } }],
    ['the anchor last seen counts', 'a: &x 1\nb: &x 2\nc: *x\n', { a: 1, b: 2, c: 2 }],
    [
      'own keys win over merged ones',
      'a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n',
      { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } },
    ],
    ['earlier maps win over later ones', 'd: {<<: [{a: 1}, {a: 2, b: 3}]}\n', { d: { a: 1, b: 3 } }],
    ['a quoted << is a key', '"<<": {a: 1}\n', { '<<': { a: 1 } }],
  ])('%s', (_what, text, value) => {
    expect(parseValue(text, 'job.yaml')).toEqual(value);
  });

  test.each([
    ['an alias without an anchor', 'a: *x\n', 'job.yaml:1:4: "*x" refers to an undefined anchor'],
    ['an alias within its own anchor', 'a: &x [*x]\n', 'job.yaml:1:8: "*x" refers to an undefined anchor'],
    ['a merge of a text', 'a: 1\n<<: b\n', 'job.yaml:2:1: "<<" can merge only maps'],
  ])('%s', (_what, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test('aliases of aliases that stand for too much', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const item = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array(10).fill(item).join(', ')}]\n`;
    });
    expect(problemsOf(levels.join(''))).toEqual([
      expect.stringMatching(/^job\.yaml:\d+:\d+: expands to too many values$/),
    ]);
  });
});

describe('what is no Kubernetes object is refused', () => {
  test.each([
    ['nothing', '', ['job.yaml: contains no Kubernetes object']],
    ['a text', 'hello\n', ['job.yaml: contains no Kubernetes object']],
    ['a list', '[1]', ['job.yaml: contains no Kubernetes object']],
    ['a document of nothing', '---\n---\n# nothing\n', ['job.yaml: contains no Kubernetes object']],
    ['a List of texts', 'kind: List\nitems: [a]\n', ['job.yaml: items[0] of the List is no Kubernetes object']],
    ['a text behind an object', 'a: 1\n---\nhello\n', ['job.yaml: contains no Kubernetes object']],
    ['a mistake in the second object', 'a: 1\n---\na: 1\na: 2\n', ['job.yaml:4:1: duplicate key "a"']],
    ['broken JSON', '{"a": 1,,}', ['job.yaml:1:9: Unexpected , in flow map']],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', ['job.yaml:3:1: duplicate key "a"']],
    ['infinity', 'a: 1\nb: -.inf\n', ['job.yaml:2:4: -.inf is not a JSON number']],
    ['a tag of its own', 'a: !binary x\n', ['job.yaml:1:4: a tag that is not read; leave it out']],
    ['flow lists without end', `a: ${'['.repeat(20_000)}`, ['job.yaml:1:1: nested too deeply']],
  ])('%s', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });
});

test('JSON may be nested as deeply as an API server takes it, and begin with a byte order mark', () => {
  const depth = 10_000;
  let node: JsonValue | undefined = parseValue(
    `\uFEFF{"a":${'{"a":'.repeat(depth)}1${'}'.repeat(depth + 1)}`,
    'job.json',
  );
  let levels = 0;
  for (; isMap(node); node = node['a']) levels += 1;
  expect([levels, node]).toEqual([depth + 1, 1]);
});

describe('a text may hold many objects', () => {
  const lines = (text: string): unknown[] =>
    parseObjects(text, 'job.yaml').map(({ object, positionOf }) => [positionOf([]).line, object]);

  test.each([
    [
      'documents',
      'a: 1\n---\n\nb: 2\n',
      [
        [1, { a: 1 }],
        [4, { b: 2 }],
      ],
    ],
    ['nothing behind the last ---', '---\na: 1\n---\n', [[2, { a: 1 }]]],
    [
      'a List',
      'kind: List\nitems:\n  - a: 1\n  - b: 2\n',
      [
        [3, { a: 1 }],
        [4, { b: 2 }],
      ],
    ],
    ['a List of nothing', 'kind: List\nitems: []\n', []],
    [
      'a list of one kind, whose items do not say it',
      'apiVersion: kubeflow.org/v1\nkind: TFJobList\nitems: [{a: 1}]\n',
      [[3, { apiVersion: 'kubeflow.org/v1', kind: 'TFJob', a: 1 }]],
    ],
    [
      'a List as JSON',
      '{"kind": "List", "items": [\n{"a": 1},\n{"b": 2}]}',
      [
        [2, { a: 1 }],
        [3, { b: 2 }],
      ],
    ],
    ['JSON behind empty lines', '\n\n {"a": 1}', [[3, { a: 1 }]]],
    [
      'JSON documents',
      '{"a": 1}\n---\n{"b": 2}\n',
      [
        [1, { a: 1 }],
        [3, { b: 2 }],
      ],
    ],
  ])('%s', (_what, text, expected) => {
    expect(lines(text)).toEqual(expected);
  });

  test.each([
    ['a field', ['spec', 'x'], { line: 3, column: 3 }],
    ['an item', ['spec', 'list', 1], { line: 6, column: 7 }],
    ['a field of an item', ['spec', 'list', 1, 'c'], { line: 7, column: 7 }],
    ['what is not there', ['spec', 'list', 9, 'c'], { line: 4, column: 3 }],
    ['a field of a scalar', ['spec', 'x', 'y'], { line: 3, column: 3 }],
    ['a field behind an alias', ['spec', 'alias', 'b'], { line: 5, column: 12 }],
    ['a key with dots', ['spec', 'a.b/c'], { line: 9, column: 3 }],
  ])('the place of %s is known', (_what, path, position) => {
    const text = `a: 1
spec:
  x: 1
  list:
    - &it {b: 1}
    - b: 2
      c: 3
  alias: *it
  a.b/c: 1
`;
    expect(parseObjects(text, 'job.yaml').map(({ positionOf }) => positionOf(path))).toEqual([position]);
  });

  test('of what is too deep for the reader of YAML some place is known', () => {
    const text = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect(parseObjects(text, 'job.json').map(({ positionOf }) => positionOf(['a', 0]))).toEqual([
      { line: 1, column: 7 },
    ]);
  });
});
