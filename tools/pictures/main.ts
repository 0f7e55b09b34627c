/** Writes the pictures of the documentation: `make pictures`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pictures } from './pictures.ts';

for (const [path, svg] of pictures()) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, svg);
}
