/** Writes the version of `package.json` and the names of `release/names.json` into every file that mentions them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFiles } from '../charts/generate.ts';
import { followers } from './followers.ts';
import { readIdentity, ROOT } from './identity.ts';

for (const [path, text] of followers(readIdentity())) writeFileSync(join(ROOT, path), text);
// The table of the chart's README shows the image.
for (const [path, text] of await generatedFiles()) writeFileSync(path, text);
