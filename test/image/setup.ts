import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseImages, type BaseImages } from '../support/base-images.ts';
import { docker, startDocker, type Docker } from '../support/docker.ts';
import { kubernetesBinaries } from '../support/kubernetes-binaries.ts';

/** The variable by which the test files learn that there is no Docker here. */
export const NO_DOCKER = 'JOBGUARD_TEST_NO_DOCKER';
/** The variables by which they learn of the images that were made for them. */
export const IMAGE = 'JOBGUARD_TEST_IMAGE';
export const RUNTIME_IMAGE = 'JOBGUARD_TEST_RUNTIME_IMAGE';
export const BUILD_IMAGE = 'JOBGUARD_TEST_BUILD_IMAGE';
/** The variable by which the teardown learns which Docker engine was started here. */
export const DOCKERD_PID = 'JOBGUARD_TEST_DOCKERD_PID';

/** The folder of the Dockerfile. */
export const ROOT = join(import.meta.dirname, '../..');

/** Gets once, before all files of this layer, a Docker engine, the image, and what a control plane starts from. */
export default async function setup(): Promise<void> {
  // testcontainers' own cleaner is an image that it would have to pull.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const engine = await start().catch(refuseOrSkip);
  if (engine === undefined) return;
  try {
    await prepare(engine);
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

async function start(): Promise<Docker> {
  await kubernetesBinaries();
  return startDocker();
}

async function prepare({ host, pid }: Docker): Promise<void> {
  if (host !== undefined) process.env['DOCKER_HOST'] = host;
  if (pid !== undefined) process.env[DOCKERD_PID] = String(pid);
  const bases = await baseImages(await defaults());
  const image = 'jobguard-test/jobguard:latest';
  await docker('build', ...buildArgs(bases), '--tag', image, ROOT);
  Object.assign(process.env, { [IMAGE]: image, [RUNTIME_IMAGE]: bases.runtime, [BUILD_IMAGE]: bases.build });
}

/** Returns how docker build is told of base images. */
export function buildArgs({ build, runtime }: BaseImages): string[] {
  return ['--build-arg', `BUILD_IMAGE=${build}`, '--build-arg', `RUNTIME_IMAGE=${runtime}`];
}

async function defaults(): Promise<BaseImages> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const valueOf = (arg: string): string => new RegExp(`^ARG ${arg}=(\\S+)$`, 'm').exec(dockerfile)?.[1] ?? '';
  return { build: valueOf('BUILD_IMAGE'), runtime: valueOf('RUNTIME_IMAGE') };
}

function refuseOrSkip(error: unknown): undefined {
  if (process.env['CI'] === 'true') throw error;
  process.env[NO_DOCKER] = 'true';
  const rule = '!'.repeat(100);
  const why = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${rule}\nSKIPPED: the image tests, for want of Docker. ${why}\n${rule}\n`);
}
