import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { docker, startDocker, type Docker } from '../../tools/image/docker.ts';
import { buildImage } from '../../tools/image/jobguard-image.ts';
import { ROOT } from '../identity.ts';
import { craneBinary, succeed } from './tools.ts';

/** An image in a registry. */
export interface PushedImage {
  /** `sha256:…` */
  readonly digest: string;
  /** Whether it is the image, and not what stands for it where there is no Docker. */
  readonly canRun: boolean;
}

/** Builds the image for this machine's platform, and pushes it under a name. */
export async function pushImage(name: string, folder: string): Promise<PushedImage> {
  const engine = await startDocker().catch((error: unknown) => {
    if (process.env['CI'] === 'true') throw error;
    console.log(`SKIPPED: the image; what is pushed holds the program without Node.js. ${String(error)}`);
    return undefined;
  });
  await (engine === undefined ? pushProgram(name, folder) : pushBuilt(name, engine));
  const digest = (await succeed(await craneBinary(), ['digest', name])).trim();
  return { digest, canRun: engine !== undefined };
}

async function pushBuilt(name: string, { host, stop }: Docker): Promise<void> {
  if (host !== undefined) process.env['DOCKER_HOST'] = host;
  try {
    const built = await buildImage();
    await docker('tag', built.name, name);
    await docker('push', '--quiet', name);
    await docker('rmi', name);
  } finally {
    await stop();
  }
}

/** Pushes an image that cannot run: it has one layer, with the program, and stands for the image where there is no Docker. */
async function pushProgram(name: string, folder: string): Promise<void> {
  const [root, layer] = [join(folder, 'image'), join(folder, 'layer.tar')];
  await mkdir(root);
  await cp(join(ROOT, 'dist/jobguard.js'), join(root, 'app/jobguard.js'));
  await succeed('tar', ['--create', `--file=${layer}`, `--directory=${root}`, 'app']);
  await succeed(await craneBinary(), ['append', `--new_layer=${layer}`, `--new_tag=${name}`]);
}
