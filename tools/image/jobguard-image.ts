import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { baseImages, type BaseImages } from './base-images.ts';
import { docker } from './docker.ts';

/** The folder of the Dockerfile. */
export const ROOT = join(import.meta.dirname, '../..');

/** The image as it was built for the tests, and what it was built in and on. */
export interface BuiltImage {
  readonly name: string;
  readonly bases: BaseImages;
}

/** Builds the image with the Docker engine that `DOCKER_HOST` names. */
export async function buildImage(): Promise<BuiltImage> {
  const bases = await baseImages(await defaultBases());
  const name = 'jobguard-test/jobguard:latest';
  await docker('build', ...buildArgs(bases), '--tag', name, ROOT);
  return { name, bases };
}

/** Returns how docker build is told of base images. */
export function buildArgs({ build, runtime }: BaseImages): string[] {
  return ['--build-arg', `BUILD_IMAGE=${build}`, '--build-arg', `RUNTIME_IMAGE=${runtime}`];
}

async function defaultBases(): Promise<BaseImages> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const valueOf = (arg: string): string => new RegExp(`^ARG ${arg}=(\\S+)$`, 'm').exec(dockerfile)?.[1] ?? '';
  return { build: valueOf('BUILD_IMAGE'), runtime: valueOf('RUNTIME_IMAGE') };
}
