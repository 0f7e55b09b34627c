import { NumberText, type Tree } from './json-tree.ts';

/** Values and keys at which a comparison, a path or a message may go wrong. */

/** What no message may show, as a word and as a number, put where values are never shown. */
export const SECRET_TEXT = 'hunter2';
export const SECRET_NUMBER = '7700770077';

export const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'a/b~c',
  'a~1b',
  '~0',
  'a.b',
  '\u2028',
  '\u{1f600}',
  '\uff5e',
  '\u202e\u001b[31m',
  'line\nbreak',
  '0',
  '*',
  '-',
  'a[0]',
  'key '.repeat(100),
];

const number = (text: string): NumberText => new NumberText(text);
const map = (fields: Readonly<Record<string, Tree>>): Map<string, Tree> => new Map(Object.entries(fields));

export const NUMBERS = [
  ...['0', '-0', '0.0', '-0e5', '0e400', '1', '1.0', '1e0', '10e-1', '0.1e1', '-1', '1.5', '15e-1', '1e3', '1000'],
  ...['9007199254740992', '9007199254740993', '9007199254740993.0', '-9007199254740993', '900719925474099.3e1'],
  ...['1e400', '10e399', '1e401', '-1e400', '1e-400', '1e-401', '1e100000000', '1E+100000000', '1e-100000000'],
  ...['12345678901234567890', '12345678901234567891', '1234567890123456789e1', '0.1', '0.10', '0.30000000000000004'],
  ...['0.3', '4.9e-324', '5e-324', '1.7976931348623157e308', '1.7976931348623159e308', '123456789012345', '1e15'],
].map(number);

/** Each row is one quantity. */
export const QUANTITIES: readonly (readonly string[])[] = [
  ['0', '0m', '-0', '0Ki', '0e5', '.0', '+0', '0.000', '0E', '0e100000000'],
  ['1', '1000m', '1e0', '1.0', '+1', '0.001k', '1000000u', '1000000000n', '01', '1.', '10e-1', '1E0'],
  ['2', '2000m', '2.0', '2e0', '0.2e1'],
  ['0.5', '500m', '5e-1', '.5', '0.50', '500000u'],
  ['1k', '1e3', '1000', '1E3', '1000000m', '0.001M'],
  ['1Gi', '1024Mi', '1073741824', '1048576Ki', '0.0009765625Ti', '1.0Gi', '1073741824000m'],
  ['1G', '1e9', '1000M', '1000000000'],
  ['1E', '1e18', '1000P', '1E18'],
  ['1Ei', '1024Pi', '1152921504606846976'],
  ['1152921504606846977'],
  ['1e100000000', '10e99999999', '1E100000000', '+1e+100000000', '0.1e100000001'],
  ['1e-100000000'],
  ['-1', '-1000m'],
  ['-1Gi', '-1024Mi'],
];

/** No quantities: as strings they are themselves and nothing else. */
export const NO_QUANTITIES = [
  ...['1\n', ' 1', '1 ', '\ufeff1', '1\u2029'],
  '',
  'one',
  '1 Gi',
  '1gi',
  '1e',
  '1e1.5',
  '--1',
  '1KI',
  'Ki',
  '0x10',
  'NaN',
  '1i',
];

export const STRINGS = [
  '',
  'a',
  '0',
  'false',
  'null',
  '1',
  'b\u2028c',
  'all\nlines',
  '\u001b[2J',
  `${SECRET_TEXT} value`,
];

export const PLAIN_VALUES: readonly Tree[] = [
  null,
  true,
  false,
  '',
  'text',
  'text!',
  [],
  new Map(),
  [null],
  [[]],
  map({ a: null }),
  map({ a: [] }),
  map({ a: number('1') }),
  new Map([['__proto__', number('1')]]),
  [number('1'), map({}), 'text'],
  ...NUMBERS,
];

export const POLICY_FIELDS: readonly (readonly [string, Tree])[] = [
  ['activeDeadlineSeconds', number('60')],
  ['ttlSecondsAfterFinished', number('0')],
  ['cleanPodPolicy', 'All'],
  ['backoffLimit', number('3')],
  ['suspend', false],
  ['schedulingPolicy', map({ minResources: map({ cpu: '1000m' }), queue: '', minAvailable: number('0') })],
  ['managedBy', null],
  ['__proto__', map({ cleanPodPolicy: 'All' })],
];

export const OWNERS: readonly (Tree | undefined)[] = [
  undefined,
  null,
  [],
  ['example.org/keep'],
  ['example.org/keep', 'foregroundDeletion'],
  ['foregroundDeletion', 'example.org/keep'],
  [map({ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '1' })],
  [map({ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '1', controller: false })],
  [map({ apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: '2' })],
];

export const ELASTIC_POLICIES: readonly (Tree | undefined)[] = [
  undefined,
  null,
  map({}),
  map({ metrics: [] }),
  map({ metrics: null }),
  map({ minReplicas: number('1') }),
  map({ minReplicas: null }),
  map({ minReplicas: number('2'), maxReplicas: number('3'), metrics: [] }),
  map({ rdzvConf: [] }),
  map({ rdzvConf: null }),
  map({ rdzvConf: [map({ key: 'timeout', value: '60' })] }),
  map({ minReplicas: number('1'), rdzvConf: [], metrics: null }),
  map({ minReplicas: number('1'), standalone: false }),
  map({ standalone: true }),
];

export const SCHEDULING_POLICIES: readonly (Tree | undefined)[] = [
  undefined,
  null,
  map({}),
  map({ queue: '' }),
  map({ minResources: null }),
  map({ minResources: map({}) }),
  map({ minResources: map({ cpu: null }) }),
  map({ minResources: map({ cpu: '1000m' }) }),
  map({ minResources: map({ cpu: number('1') }) }),
  map({ minResources: map({ cpu: '0' }) }),
];

/** What is no part of a quantity, whatever a lenient reader trims. */
export const WHITE_SPACE = [' ', '\n', '\t', '\u00a0', '\ufeff', '\u2028'];

/** What the operator tells from nothing though it is empty, if it stands there. */
export const LISTS_TESTED_FOR_NIL: readonly (readonly string[])[] = ['metrics', 'rdzvConf'].map((field) => [
  'spec',
  'elasticPolicy',
  field,
]);

/** What may stand in an entry that a policy lets people change, and so may come or go with one. */
export const ENTRIES: readonly Tree[] = [
  null,
  map({}),
  map({ replicas: number('2') }),
  map({ template: map({ metadata: map({ annotations: map({ a: 'b' }) }) }) }),
  map({ template: map({ spec: map({ containers: [map({ image: 'train:v3' })] }) }) }),
  map({ image: 'train:v3' }),
  map({ emptyDir: map({ sizeLimit: '1Gi' }) }),
  map({ securityContext: map({ runAsUser: number('0') }) }),
];

export const SECRETS: readonly Tree[] = [
  [map({ name: 'TOKEN', value: SECRET_TEXT })],
  [map({ name: 'TOKEN', value: number(SECRET_NUMBER) })],
  [map({ name: 'TOKEN', valueFrom: map({ secretKeyRef: map({ key: number(SECRET_NUMBER) }) }) })],
  [number(SECRET_NUMBER), SECRET_TEXT],
  [map({ image: SECRET_TEXT })],
  SECRET_TEXT,
  number(SECRET_NUMBER),
  map({ token: number(SECRET_NUMBER), containers: [map({ image: SECRET_TEXT })] }),
];

export const ALLOWED_FIELDS: readonly (readonly string[])[] = [
  'activeDeadlineSeconds',
  'ttlSecondsAfterFinished',
  'cleanPodPolicy',
].flatMap((field) => [
  ['spec', field],
  ['spec', 'runPolicy', field],
]);

export const SERVER_OWNED = [
  'managedFields',
  'generation',
  'resourceVersion',
  'selfLink',
  'uid',
  'creationTimestamp',
  'deletionGracePeriodSeconds',
];
