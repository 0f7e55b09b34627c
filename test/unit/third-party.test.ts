import { expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { billOfMaterials, bundled, notices, type Contents, type Program } from '../../build/third-party.ts';

const PROGRAM: Program = {
  name: 'jobguard',
  version: '1.0.0',
  license: 'Apache-2.0',
  dependencies: { a: '^1', unused: '*' },
};

const INTEGRITY = `sha512-${Buffer.from([0, 255]).toString('base64')}`;
const locked = (version: string, dependencies?: Record<string, string>): object => ({
  version,
  license: 'MIT',
  integrity: INTEGRITY,
  ...(dependencies === undefined ? {} : { dependencies }),
});
const LOCK = {
  packages: {
    '': PROGRAM,
    'node_modules/a': locked('1.2.3', { '@scope/b': '^1', c: '*' }),
    'node_modules/a/node_modules/@scope/b': locked('1.0.0', { c: '*' }),
    'node_modules/@scope/b': locked('2.0.0'),
    'node_modules/c': locked('3.0.0'),
    'node_modules/unused': locked('9.0.0'),
  },
};

/** What esbuild says of a bundle, given how many bytes of each file are in it. */
function metafile(bytes: Readonly<Record<string, number>>): Metafile {
  const inputs = Object.fromEntries(Object.entries(bytes).map(([path, bytesInOutput]) => [path, { bytesInOutput }]));
  return { inputs: {}, outputs: { 'dist/jobguard.js': { bytes: 0, imports: [], exports: [], inputs } } };
}

const BUNDLE = metafile({
  'src/main.ts': 10,
  'node_modules/c/index.js': 1,
  'node_modules/c/more.js': 1,
  'node_modules/a/lib/a.js': 5,
  'node_modules/a/node_modules/@scope/b/b.js': 5,
  'node_modules/unused/index.js': 0,
});

const contents = (): Contents => bundled(BUNDLE, PROGRAM, LOCK);

test('a bundle contains the packages of which it holds a byte, each once, where they are installed', () => {
  expect(contents().packages.map(({ path, name, version }) => [path, name, version])).toEqual([
    ['node_modules/a', 'a', '1.2.3'],
    ['node_modules/a/node_modules/@scope/b', '@scope/b', '1.0.0'],
    ['node_modules/c', 'c', '3.0.0'],
  ]);
});

test('a package that the lock file does not know stops the build', () => {
  expect(() => bundled(metafile({ 'node_modules/x/x.js': 1 }), PROGRAM, LOCK)).toThrow('node_modules/x');
});

test('the bill of materials names what was installed, and which package needs which', () => {
  const library = (name: string, version: string, purl: string): object => ({
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    licenses: [{ expression: 'MIT' }],
    purl,
    hashes: [{ alg: 'SHA-512', content: '00ff' }],
  });
  const [a, b, c] = ['pkg:npm/a@1.2.3', 'pkg:npm/%40scope/b@1.0.0', 'pkg:npm/c@3.0.0'];
  expect(billOfMaterials(contents())).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: {
      component: { type: 'application', name: 'jobguard', version: '1.0.0', purl: 'pkg:npm/jobguard@1.0.0' },
    },
    components: [library('a', '1.2.3', a), library('@scope/b', '1.0.0', b), library('c', '3.0.0', c)],
    dependencies: [
      { ref: 'pkg:npm/jobguard@1.0.0', dependsOn: [a] },
      { ref: a, dependsOn: [b, c] },
      { ref: b, dependsOn: [c] },
      { ref: c, dependsOn: [] },
    ],
  });
});

test('a version that is installed twice is listed once', () => {
  const twice = { packages: { ...LOCK.packages, 'node_modules/a/node_modules/c': locked('3.0.0') } };
  const both = metafile({ 'node_modules/c/c.js': 1, 'node_modules/a/node_modules/c/c.js': 1 });
  expect(billOfMaterials(bundled(both, PROGRAM, twice))).toMatchObject({
    components: [{ name: 'c', version: '3.0.0' }],
  });
});

test('the notices have every licence in full', () => {
  const text = notices(contents().packages, ({ name }) => [`Licence of ${name}`]);
  expect(text).toContain('\n\na 1.2.3 (MIT)\n\nLicence of a\n\n');
  expect(text).toContain('\n\n@scope/b 1.0.0 (MIT)\n\nLicence of @scope/b\n\n');
});

test('a package without the text of its licence stops the build', () => {
  expect(() => notices(contents().packages, () => [])).toThrow('node_modules/a comes without the text of its licence');
});
