import { Ajv } from 'ajv';
import type { Metafile } from 'esbuild';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package as package-lock.json knows it. */
interface LockedPackage {
  readonly version: string;
  readonly license: string;
  /** `sha512-` and base64. */
  readonly integrity: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A package of which the bundle holds code. */
export interface BundledPackage extends LockedPackage {
  readonly name: string;
  /** Where it is installed: `node_modules/a/node_modules/b`. */
  readonly path: string;
}

/** The program itself, and what it is built from. */
export type Program = Pick<BundledPackage, 'name' | 'version' | 'license' | 'dependencies'>;

/** Which packages' code is in a program. */
export interface Contents {
  readonly program: Program;
  readonly packages: readonly BundledPackage[];
}

/** Writes beside the bundle what it contains of others: their licences, and a list for scanners, which see no packages in it. */
export function writeThirdParty(metafile: Metafile, folder: string): void {
  const { devDependencies, ...program } = readJson('package.json', isManifest);
  // All that is bundled stands there: who installs the package needs nothing else.
  const needing = { ...program, dependencies: devDependencies };
  const contents = bundled(metafile, needing, readJson('package-lock.json', isLockFile));
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), notices(contents.packages, licenceTexts));
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(contents), null, 2)}\n`);
}

const PACKAGE_PATH = /^.*node_modules\/(?<name>(?:@[^/]+\/)?[^/]+)(?=\/)/;

/**
 * Finds the packages of which a bundle holds at least a byte, in the order of their paths.
 *
 * @throws Error that names a package which the lock file does not have
 */
export function bundled({ outputs }: Metafile, program: Program, lock: LockFile): Contents {
  const used = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [PACKAGE_PATH.exec(path)] : [])),
  );
  const names = new Map(used.flatMap((match) => (match === null ? [] : [[match[0], match.groups?.['name'] ?? '']])));
  const packages = [...names].sort(byPath).map(([path, name]) => {
    const locked = lock.packages[path];
    if (!isLocked(locked)) throw new Error(`package-lock.json says too little of ${path}`);
    return { ...locked, name, path };
  });
  return { program, packages };
}

function byPath([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/**
 * Describes a program in CycloneDX 1.6: the packages in it, with what was installed of each and which needs which.
 *
 * It has neither time nor serial number, so that the same sources give the same bytes.
 */
export function billOfMaterials({ program, packages }: Contents): unknown {
  const installed = new Map(packages.map((each) => [each.path, each]));
  // The same version may be installed in several places.
  const distinct = [...new Map(packages.map((each) => [packageUrl(each), each])).values()];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', ...component(program) } },
    components: distinct.map((each) => ({
      type: 'library',
      ...component(each),
      hashes: [
        { alg: 'SHA-512', content: Buffer.from(each.integrity.replace(/^sha512-/, ''), 'base64').toString('hex') },
      ],
    })),
    dependencies: [{ ...program, path: '' }, ...distinct].map((each) => ({
      ref: packageUrl(each),
      dependsOn: Object.keys(each.dependencies ?? {}).flatMap((name) => {
        const found = resolve(installed, each.path, name);
        return found === undefined ? [] : [packageUrl(found)];
      }),
    })),
  };
}

function component(of: Program): object {
  const { name, version, license } = of;
  const url = packageUrl(of);
  return { 'bom-ref': url, name, version, licenses: [{ expression: license }], purl: url };
}

/** The package's address in every ecosystem-wide list of vulnerabilities: `pkg:npm/%40scope/name@1.2.3`. */
function packageUrl({ name, version }: Pick<Program, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** Looks for a dependency as Node does: below the package that asks, then below each that it is installed in. */
function resolve(
  installed: ReadonlyMap<string, BundledPackage>,
  from: string,
  name: string,
): BundledPackage | undefined {
  const found = installed.get(from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`);
  if (found !== undefined || from === '') return found;
  return resolve(installed, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name);
}

const RULE = '-'.repeat(80);

/** Writes out the licences of packages; `textsOf` returns the texts that a package comes with. */
export function notices(
  packages: readonly BundledPackage[],
  textsOf: (of: BundledPackage) => readonly string[],
): string {
  const sections = packages.map((each) => {
    const texts = textsOf(each);
    if (texts.length === 0) throw new Error(`${each.path} comes without the text of its licence`);
    return [`${each.name} ${each.version} (${each.license})`, ...texts].join('\n\n');
  });
  return ['jobguard contains the following software of others.', ...sections].join(`\n\n${RULE}\n\n`) + '\n';
}

function licenceTexts({ path }: BundledPackage): string[] {
  return readdirSync(path)
    .filter((file) => /^(licen[cs]e|copying|notice|copyright)/i.test(file))
    .map((file) => readFileSync(join(path, file), 'utf8').replaceAll('\r\n', '\n').trim());
}

/** As much of package.json as is read here. */
interface Manifest extends Pick<Program, 'name' | 'version' | 'license'> {
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** As much of a package-lock.json as is read here, by path of installation. */
export interface LockFile {
  readonly packages: Readonly<Record<string, unknown>>;
}

const ajv = new Ajv();
const DEPENDENCIES = { type: 'object', additionalProperties: { type: 'string' } };
const TEXTS = { name: { type: 'string' }, version: { type: 'string' }, license: { type: 'string' } };
const isManifest = ajv.compile<Manifest>({
  type: 'object',
  required: ['name', 'version', 'license', 'devDependencies'],
  properties: { ...TEXTS, devDependencies: DEPENDENCIES },
});
const isLockFile = ajv.compile<LockFile>({
  type: 'object',
  required: ['packages'],
  properties: { packages: { type: 'object' } },
});
const isLocked = ajv.compile<LockedPackage>({
  type: 'object',
  required: ['version', 'license', 'integrity'],
  properties: { ...TEXTS, integrity: { type: 'string', pattern: '^sha512-' }, dependencies: DEPENDENCIES },
});

function readJson<T>(file: string, isExpected: (value: unknown) => value is T): T {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!isExpected(value)) throw new Error(`${file} is not as expected`);
  return value;
}
