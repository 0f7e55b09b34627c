import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { docker, startDocker } from '../support/docker.ts';
import { buildImage } from '../support/jobguard-image.ts';
import { userCache } from '../support/user-cache.ts';

/** The variable that names an archive with the image under test, so that none is built. */
const GIVEN = 'JOBGUARD_IMAGE_ARCHIVE';

/** The name of the image under test, as it stands in the archive. */
export const IMAGE = { registry: 'docker.io', repository: 'jobguard-test/jobguard', tag: 'latest' };

/** Returns the path of an archive of the image, as `docker save` writes it. */
export async function imageArchive(): Promise<string> {
  const given = process.env[GIVEN] ?? '';
  if (given !== '') return given;
  const folder = join(userCache(), 'images');
  await mkdir(folder, { recursive: true });
  const archive = join(folder, 'jobguard.tar');
  const { host, stop } = await startDocker();
  const before = process.env['DOCKER_HOST'];
  if (host !== undefined) process.env['DOCKER_HOST'] = host;
  try {
    const { name } = await buildImage();
    await docker('save', '--output', archive, name);
  } finally {
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
    await stop();
  }
  return archive;
}
