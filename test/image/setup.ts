import { startDocker, type Docker } from '../../tools/image/docker.ts';
import { buildImage } from '../../tools/image/jobguard-image.ts';
import { kubernetesBinaries } from '../../tools/kubernetes/binaries.ts';
import { failInCi } from '../support/missing-layer.ts';

/** The variable by which the test files learn that there is no Docker here. */
export const NO_DOCKER = 'JOBGUARD_TEST_NO_DOCKER';
/** The variables by which they learn of the images that were made for them. */
export const IMAGE = 'JOBGUARD_TEST_IMAGE';
export const RUNTIME_IMAGE = 'JOBGUARD_TEST_RUNTIME_IMAGE';
export const BUILD_IMAGE = 'JOBGUARD_TEST_BUILD_IMAGE';
/** The variable by which the teardown learns which Docker engine was started here. */
export const DOCKERD_PID = 'JOBGUARD_TEST_DOCKERD_PID';

/** Gets once, before all files of this layer, a Docker engine, the image, and what a control plane starts from. */
export default async function setup(): Promise<void> {
  // testcontainers' own cleaner is an image that it would have to pull.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const engine = await start().catch(skip);
  if (engine === undefined) return;
  try {
    await prepare(engine);
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

/** Looks for Docker first: without it there is nothing to build Kubernetes for, and that takes minutes. */
async function start(): Promise<Docker> {
  await using undo = new AsyncDisposableStack();
  const engine = await startDocker();
  undo.defer(engine.stop);
  await kubernetesBinaries();
  undo.move();
  return engine;
}

async function prepare({ host, pid }: Docker): Promise<void> {
  if (host !== undefined) process.env['DOCKER_HOST'] = host;
  if (pid !== undefined) process.env[DOCKERD_PID] = String(pid);
  const { name, bases } = await buildImage();
  Object.assign(process.env, { [IMAGE]: name, [RUNTIME_IMAGE]: bases.runtime, [BUILD_IMAGE]: bases.build });
}

function skip(error: unknown): undefined {
  failInCi('the image tests: no Docker', error);
  process.env[NO_DOCKER] = 'true';
}
