import { join } from 'node:path';
import { goProgram } from '../go/program.ts';
import { writeImageArchive } from './image-archive.ts';

/** Writes an archive of an image that holds nothing but the program `idle`; idle/main.go says what it does. */
export async function writeIdleArchive(archive: string, name: string): Promise<void> {
  const files = { '/idle': await goProgram(join(import.meta.dirname, 'idle')) };
  await writeImageArchive(archive, { name, entrypoint: ['/idle'], files });
}
