import { cp } from 'node:fs/promises';
import { docker, startDocker } from '../image/docker.ts';
import { buildImage } from '../image/jobguard-image.ts';

/** The variable that names an archive with the image under test, so that none is built. */
const GIVEN = 'JOBGUARD_IMAGE_ARCHIVE';

/** The chart's values for the image in the archive. */
export const IMAGE = { registry: 'docker.io', repository: 'jobguard-test/jobguard', tag: 'latest' };

/** Builds the image and writes it into an archive, as `docker save` does. */
export async function writeJobguardArchive(archive: string): Promise<void> {
  const given = process.env[GIVEN] ?? '';
  if (given !== '') return cp(given, archive);
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
}
