import { beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import { docker, inspect } from '../../tools/image/docker.ts';
import { buildArgs, ROOT } from '../../tools/image/jobguard-image.ts';
import { at } from '../../tools/json-at.ts';
import { NODE } from './jobguard-container.ts';
import { CONTAINER_TIMEOUT_MS, describeWithDocker, prepared } from './layer.ts';
import { BUILD_IMAGE, IMAGE, RUNTIME_IMAGE } from './setup.ts';

const FILES = [
  'LICENSE',
  'THIRD-PARTY-NOTICES.txt',
  'jobguard.js',
  'judging-worker.js',
  'kubeconfig.js',
  'package.json',
  'sbom.cdx.json',
];
const MAX_BYTES_BEYOND_NODE = 5_000_000;

/** What may be bundled without asking its authors for more than their names. */
const PERMISSIVE = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

describeWithDocker('the image', () => {
  let config: unknown;
  let version: unknown;

  beforeAll(async () => {
    config = await inspect(prepared(IMAGE), 'Config');
    version = at(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')), 'version');
  }, CONTAINER_TIMEOUT_MS);

  /** Prints what a line of JavaScript returns in a container of the image. */
  const evaluate = (line: string): Promise<string> =>
    docker('run', '--rm', '--entrypoint', NODE, prepared(IMAGE), '--print', line);

  test('runs jobguard, as a numbered user, with memory flags for 768 MiB', () => {
    expect({
      user: at(config, 'User'),
      entrypoint: at(config, 'Entrypoint'),
      command: at(config, 'Cmd'),
      ports: at(config, 'ExposedPorts'),
    }).toEqual({
      user: '65532:65532',
      entrypoint: [
        ...[
          '/nodejs/bin/node',
          '--max-old-space-size=192',
          '--max-semi-space-size=4',
          '--initial-old-space-size=48',
          '--disable-sigusr1',
        ],
        '/app/jobguard.js',
      ],
      command: ['serve'],
      ports: { '10250/tcp': {}, '8080/tcp': {} },
    });
  });

  test('says what it is, with the version of package.json', () => {
    expect(at(config, 'Labels')).toMatchObject({
      'org.opencontainers.image.title': 'jobguard',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.base.name': prepared(RUNTIME_IMAGE),
    });
  });

  test('adds at most 5 MB to its base, which is Node', async () => {
    const [all, base] = [await inspect(prepared(IMAGE), 'Size'), await inspect(prepared(RUNTIME_IMAGE), 'Size')];
    expect(Number(all) - Number(base)).toBeLessThan(MAX_BYTES_BEYOND_NODE);
  });

  test('adds the bundle and what belongs to it, which are root’s and nobody else may write', async () => {
    const line = `JSON.stringify(fs.readdirSync('/app').map((name) => [name, fs.statSync('/app/' + name)])
      .map(([name, { uid, mode }]) => [name, uid, (mode & 0o777).toString(8)]))`;
    expect(JSON.parse(await evaluate(line))).toEqual(FILES.map((name) => [name, 0, '644']));
  });

  test('lists every package that it holds, with permissive licences, and has the text of each', async () => {
    const materials: unknown = JSON.parse(await evaluate("fs.readFileSync('/app/sbom.cdx.json', 'utf8')"));
    const texts = await evaluate("fs.readFileSync('/app/THIRD-PARTY-NOTICES.txt', 'utf8')");
    const components = at(materials, 'components');
    const listed = (Array.isArray(components) ? components : []).map((each: unknown) => ({
      heading: `${String(at(each, 'name'))} ${String(at(each, 'version'))} (`,
      licence: at(each, 'licenses', 0, 'expression'),
    }));
    expect(at(materials, 'metadata', 'component', 'purl')).toBe(`pkg:npm/jobguard@${String(version)}`);
    expect(listed.map(({ heading }) => heading)).toContainEqual(expect.stringMatching(/^prom-client 15\./));
    expect(listed.filter(({ heading }) => !texts.includes(`\n${heading}`))).toEqual([]);
    expect(listed.filter(({ licence }) => !PERMISSIVE.includes(String(licence)))).toEqual([]);
  });

  test(
    'is built for another processor without running anything there',
    async () => {
      const foreign = 'jobguard-test/foreign-base:arm64';
      const image = 'jobguard-test/jobguard:arm64';
      const folder = await mkdtemp(join(tmpdir(), 'jobguard-foreign-'));
      await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
      await docker('build', '--platform', 'linux/arm64', '--tag', foreign, folder);
      await rm(folder, { recursive: true });
      // Without BuildKit docker takes the platform from the base image, and would want the build stage to have it, too.
      const hasBuildKit = (await run('docker', ['buildx', 'version'])).code === 0;
      const platform = hasBuildKit ? ['--platform', 'linux/arm64'] : [];
      const bases = buildArgs({ build: prepared(BUILD_IMAGE), runtime: foreign });
      await docker('build', ...platform, ...bases, '--tag', image, ROOT);
      expect(await inspect(image, 'Architecture')).toBe('arm64');
    },
    CONTAINER_TIMEOUT_MS,
  );
});
