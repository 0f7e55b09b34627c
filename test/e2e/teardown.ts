import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ARCHIVE } from './setup.ts';

/** Removes the archive of the image. */
export default async function teardown(): Promise<void> {
  const archive = process.env[ARCHIVE];
  if (archive !== undefined) await rm(dirname(archive), { recursive: true });
}
