import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import schema from '../../schemas/policy.schema.json' with { type: 'json' };
import { completePolicy } from '../../src/policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../src/policy/defaults.ts';
import { policyHash } from '../../src/policy/hash.ts';
import { loadPolicy, PolicyFileError, readPolicy } from '../../src/policy/load.ts';
import { PRESETS } from '../../src/policy/presets.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/policies');
const DEFAULT_HASH = policyHash(completePolicy(DEFAULT_POLICY_DOCUMENT));
const HEAD = 'apiVersion: jobguard/v1\nkind: UpdatePolicy\n';

function fixture(name: string): string {
  return readFileSync(join(FIXTURES, name), 'utf8');
}

/** Returns what is said of a wrong policy, one problem a line. */
function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof PolicyFileError) return error.problems;
    throw error;
  }
  return [];
}

describe('a wrong policy file is answered with every problem, where it is and what was meant', () => {
  const files = readdirSync(join(FIXTURES, 'wrong')).filter((file) => !file.endsWith('.txt'));

  test.each(files)('%s', (file) => {
    const said = problemsOf(() => readPolicy(fixture(`wrong/${file}`), { file }));
    expect(said).toEqual(
      fixture(`wrong/${file.replace(/\.\w+$/, '.txt')}`)
        .trimEnd()
        .split('\n'),
    );
  });

  test('the message of the error is its problems, one a line', () => {
    expect(() => loadPolicy(`${HEAD}mode: of\nallow: [spec]\n`)).toThrow(
      new PolicyFileError([
        'policy:3:7: mode: must be one of enforce, warn, audit, not "of"',
        'policy:4:9: allow[0]: "spec" is not a JSON Pointer; write "/spec"',
      ]),
    );
  });

  test.each([
    ['a text of more than 1 MiB', '#'.repeat(1024 * 1024 + 1), 'policy: is larger than 1 MiB'],
    ['lists in lists without end', '['.repeat(20_000), 'policy:1:1: nested too deeply'],
    ['a text alone', 'jobguard/v1', 'policy:1:1: must be a map, not "jobguard/v1"'],
    ['a list as a key', `${HEAD}? [mode]\n: warn\n`, 'policy:3:3: a key must be text'],
    [
      'a path without end',
      `${HEAD}resources: [{group: a.example, resource: jobs, podTemplates: ["${'/a'.repeat(200_000)}"]}]`,
      'policy:3:63: resources[0].podTemplates[0]: has 400000 characters; at most 1024 are allowed',
    ],
    ['an empty document behind ---', '---\n', 'policy:1:1: holds no policy'],
  ])('%s', (_what, text, problem) => {
    expect(problemsOf(() => readPolicy(text))[0]).toContain(problem);
  });

  test.each([
    ['a repeated key', '"\u202ea": 1\n"\u202ea": 2', String.raw`duplicate key "\u{202e}a"`],
    ['an alias', 'allow: [*a\u202eb]', String.raw`if the text "*a\u{202e}b" is meant`],
    ['what the YAML parser quotes', '{} }"a\u007f"', String.raw`a\u{7f}`],
  ])('characters that a terminal obeys are escaped in %s', (_what, text, escaped) => {
    expect(problemsOf(() => readPolicy(text)).join('\n')).toContain(escaped);
  });

  test('a key named like what every object inherits is unknown', () => {
    const keys = ['__proto__', 'constructor', 'toString', ''];
    const text = `${HEAD}${keys.map((key) => `${JSON.stringify(key)}: 1\n`).join('')}`;
    const said = problemsOf(() => readPolicy(text)).map((problem) => problem.replace(/; known.*/, ''));
    expect(said).toEqual([
      'policy:3:1: __proto__: unknown key',
      'policy:4:1: constructor: unknown key',
      'policy:5:1: toString: unknown key',
      'policy:6:1: [""]: unknown key',
    ]);
  });

  test.each(['__proto__', 'constructor', 'kueu', 'toString'])('an exemption may be named %s', (name) => {
    const text = `${HEAD}exemptions: [{name: ${name}, groups: [a], paths: [/spec/runPolicy/suspend]}]\n`;
    const accepted = /^[A-Za-z]/.test(name);
    expect(problemsOf(() => readPolicy(text))).toHaveLength(accepted ? 0 : 1);
  });
});

describe('a right policy file is read as it is written', () => {
  test('everything that can be said', () => {
    expect(readPolicy(fixture('right/everything.yaml'))).toEqual({
      apiVersion: 'jobguard/v1',
      kind: 'UpdatePolicy',
      mode: 'warn',
      namespaceModes: [{ namespaces: ['sandbox-*', 'dev'], mode: 'audit' }],
      resources: [
        {
          group: 'kubeflow.org',
          resource: 'mpijobs',
          podTemplates: ['/spec/mpiReplicaSpecs/*/template'],
          scaleReplicasPath: '/spec/mpiReplicaSpecs/Worker/replicas',
          suspendPath: '/spec/runPolicy/suspend',
          allow: ['/spec/slotsPerWorker'],
        },
        { group: '', resource: 'pods' },
      ],
      allow: ['/metadata/labels', '/metadata/annotations/example.com~1note', '/metadata/annotations/a~0b'],
      allowBroadPaths: true,
      allowBroadIdentities: true,
      allowUnknownPaths: true,
      suspendedJobs: true,
      presets: { kueue: { usernames: ['system:serviceaccount:queues:*'] }, flyte: true },
      exemptions: [
        {
          name: 'platform-admins',
          usernames: ['alice'],
          groups: ['platform:admins', '*'],
          namespaces: ['*'],
          paths: ['', '/spec/*'],
          reason: 'INC-1234: draining the old GPU pool',
          expires: '2027-01-31',
        },
      ],
      contact: 'ask in #ml-platform',
    });
  });

  test('JSON, with tabs and escapes', () => {
    expect(readPolicy(fixture('right/in-json.json'))).toEqual({
      ...DEFAULT_POLICY_DOCUMENT,
      allow: ['/metadata/labels', '/metadata/annotations/😀'],
    });
  });

  test('a directive that asks for YAML 1.1 changes nothing', () => {
    expect(readPolicy(fixture('right/yaml-1.1-directive.yaml'))).toEqual({
      ...DEFAULT_POLICY_DOCUMENT,
      exemptions: [{ name: 'on', usernames: ['yes', '1:30', '2020-01-01'], paths: ['/spec/runPolicy/suspend'] }],
    });
  });

  test.each([
    ['a byte order mark', `\uFEFF${HEAD}`],
    ['line ends of Windows', HEAD.replaceAll('\n', '\r\n')],
    ['--- around it', `---\n${HEAD}...\n`],
  ])('%s', (_what, text) => {
    expect(readPolicy(text)).toEqual(DEFAULT_POLICY_DOCUMENT);
  });

  test('nothing may change where allow is empty', () => {
    const policy = loadPolicy(`${HEAD}allow: []\n`);
    expect(policy.resources.get('tfjobs.kubeflow.org')?.allow).toEqual([]);
  });
});

describe('the hash of a policy names what it says', () => {
  test('it is twelve hexadecimal characters', () => {
    expect(DEFAULT_HASH).toMatch(/^[0-9a-f]{12}$/);
  });

  test.each([
    ['a file that says nothing', fixture('right/minimal.yaml')],
    ['a file that writes the defaults out, in another order', fixture('right/defaults.yaml')],
    ['a preset set to its default', `${HEAD}presets: {garbageCollector: true}\n`],
    [
      'a preset with its usual usernames',
      `${HEAD}presets: {garbageCollector: {usernames: [${PRESETS.garbageCollector.usernames.join(', ')}]}}\n`,
    ],
  ])('%s has the hash of the default policy', (_what, text) => {
    expect(loadPolicy(text).hash).toBe(DEFAULT_HASH);
  });

  test.each([
    ['another mode', 'mode: warn'],
    ['another order of paths', 'allow: [/metadata/annotations, /metadata/labels]'],
    ['a preset more', 'presets: {kueue: true}'],
    ['an exemption more', 'exemptions: [{name: a, groups: [b], paths: [/spec/runPolicy/suspend]}]'],
  ])('%s has another hash', (_what, text) => {
    expect(loadPolicy(`${HEAD}${text}\n`).hash).not.toBe(DEFAULT_HASH);
  });

  test('an exemption is the same whether it leaves out its namespaces or names all', () => {
    const [left, right] = ['', 'namespaces: ["*"], '].map(
      (namespaces) =>
        loadPolicy(`${HEAD}exemptions: [{name: a, ${namespaces}groups: [b], paths: [/spec/runPolicy/suspend]}]\n`).hash,
    );
    expect(left).toBe(right);
  });

  test('the completion of a complete policy is itself', () => {
    const complete = completePolicy(readPolicy(fixture('right/everything.yaml')));
    expect(completePolicy(complete)).toEqual(complete);
  });
});

describe('the schema', () => {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });

  test('is a JSON Schema', () => {
    expect(ajv.validateSchema(schema)).toBe(true);
  });

  test('takes the default policy with every default written out', () => {
    expect(ajv.validate(schema, completePolicy(DEFAULT_POLICY_DOCUMENT))).toBe(true);
  });

  test('has the defaults of the program', () => {
    const { mode, namespaceModes, allow, allowBroadPaths, suspendedJobs, exemptions } = schema.properties;
    const defaults = Object.entries({ mode, namespaceModes, allow, allowBroadPaths, suspendedJobs, exemptions });
    expect(completePolicy(DEFAULT_POLICY_DOCUMENT)).toMatchObject(
      Object.fromEntries(defaults.map(([key, property]) => [key, property.default])),
    );
  });

  test('knows every preset and its default', () => {
    const presets = Object.entries(schema.properties.presets.properties).map(([name, preset]) => [
      name,
      preset.default,
    ]);
    expect(presets).toEqual(Object.entries(PRESETS).map(([name, { onByDefault }]) => [name, onByDefault]));
  });

  test('explains each key', () => {
    expect(keysWithoutWords(schema)).toEqual([]);
  });
});

/** Lists the keys for which an editor would have no title or description to show. */
function keysWithoutWords(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const entries = Object.entries(node);
  const properties: unknown = entries.find(([key]) => key === 'properties')?.[1] ?? {};
  const here = Object.entries(properties as object)
    .filter(([, value]: [string, unknown]) => !isExplained(value))
    .map(([key]) => key);
  return [...here, ...entries.flatMap(([, value]: [string, unknown]) => keysWithoutWords(value))];
}

function isExplained(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'title' in value && 'description' in value;
}
