import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../child-process.ts';
import { docker } from './docker.ts';

/** What the Dockerfile builds in and what it builds on. */
export interface BaseImages {
  readonly build: string;
  readonly runtime: string;
}

/**
 * Returns the Dockerfile's own base images, or substitutes made of this machine's files where no registry can be reached.
 *
 * The substitutes hold this very Node with the libraries that it is linked with, and the one to build in also npm, a shell
 * and the certificate authorities that this machine trusts.
 */
export async function baseImages(ofDockerfile: BaseImages): Promise<BaseImages> {
  if ((await isAvailable(ofDockerfile.runtime)) && (await isAvailable(ofDockerfile.build))) return ofDockerfile;
  const { version, arch } = process;
  return {
    runtime: await localImage({
      name: `jobguard-test/node:${version}-${arch}`,
      environment: [],
      fill: (root) => addProgram(root, process.execPath, '/nodejs/bin/node'),
    }),
    build: await localImage({
      name: `jobguard-test/npm:${version}-${arch}`,
      environment: ['HOME=/root', 'PATH=/usr/local/bin:/usr/bin:/bin', `NODE_EXTRA_CA_CERTS=${AUTHORITIES}`],
      fill: addNpm,
    }),
  };
}

/** Long enough for a slow line, short enough for a machine that cuts connections silently. */
const PULL_TIMEOUT_MS = 120_000;

async function isAvailable(image: string): Promise<boolean> {
  return (
    (await isHere(image)) ||
    (await run('docker', ['pull', '--quiet', image], { timeoutMs: PULL_TIMEOUT_MS })).code === 0
  );
}

async function isHere(image: string): Promise<boolean> {
  return (await run('docker', ['image', 'inspect', image])).code === 0;
}

interface LocalImage {
  readonly name: string;
  readonly environment: readonly string[];
  readonly fill: (root: string) => Promise<void>;
}

async function localImage({ name, environment, fill }: LocalImage): Promise<string> {
  if (await isHere(name)) return name;
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-base-image-'));
  try {
    const root = join(folder, 'root');
    const archive = join(folder, 'root.tar');
    await mkdir(root);
    await fill(root);
    const packed = await run('tar', ['--owner=0', '--group=0', '-C', root, '-cf', archive, '.']);
    if (packed.code !== 0) throw new Error(packed.stderr);
    await docker('import', ...environment.flatMap((each) => ['--change', `ENV ${each}`]), archive, name);
  } finally {
    await rm(folder, { recursive: true });
  }
  return name;
}

/** Where Debian and its like keep the certificate authorities that the machine trusts. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

async function addNpm(root: string): Promise<void> {
  await addProgram(root, process.execPath, '/usr/local/bin/node');
  await addProgram(root, '/bin/sh', '/bin/sh');
  await addProgram(root, '/usr/bin/env', '/usr/bin/env');
  const cli = await realpath((await run('sh', ['-c', 'command -v npm'])).stdout.trim());
  await cp(join(dirname(cli), '..'), join(root, 'usr/local/lib/npm'), { recursive: true });
  await symlink('../lib/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  await mkdir(join(root, 'root'));
  await mkdir(join(root, 'tmp'));
  await mkdir(join(root, dirname(AUTHORITIES)), { recursive: true });
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  if (existsSync(AUTHORITIES)) await cp(AUTHORITIES, join(root, AUTHORITIES), { dereference: true });
}

/** Copies a program, and the libraries that it is linked with to where it looks for them. */
async function addProgram(root: string, program: string, place: string): Promise<void> {
  const { stdout } = await run('ldd', [program]);
  const libraries = [...stdout.matchAll(/(?<path>\/\S+) \(0x/g)].map((match) => match.groups?.['path'] ?? '');
  for (const [from, to] of [[program, place], ...libraries.map((each) => [each, each])] as const) {
    await mkdir(join(root, dirname(to)), { recursive: true });
    await cp(await realpath(from), join(root, to));
  }
}
