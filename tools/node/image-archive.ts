import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from '../child-process.ts';

/** An image of one layer. */
export interface ImageContents {
  /** `docker.io/example/image:tag`. */
  readonly name: string;
  readonly entrypoint: readonly string[];
  /** Files of this machine by their places in the image. */
  readonly files: Readonly<Record<string, string>>;
}

/** Writes an image into an archive as `docker save` does, without Docker. */
export async function writeImageArchive(archive: string, { name, entrypoint, files }: ImageContents): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-image-'));
  try {
    const root = join(folder, 'root');
    for (const [place, file] of Object.entries(files)) {
      await mkdir(join(root, dirname(place)), { recursive: true });
      await cp(file, join(root, place));
    }
    await tar(root, join(folder, 'layer.tar'), '.');
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: entrypoint },
      rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256(join(folder, 'layer.tar'))}`] },
    };
    const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    await tar(folder, archive, 'manifest.json', 'config.json', 'layer.tar');
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function tar(folder: string, archive: string, ...names: readonly string[]): Promise<void> {
  const { code, stderr } = await run('tar', ['--owner=0', '--group=0', '-C', folder, '-cf', archive, ...names]);
  if (code !== 0) throw new Error(stderr);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
