import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../tools/child-process.ts';
import { givenProgram } from '../../tools/given-program.ts';
import { failInCi } from '../support/missing-layer.ts';

/** The variable by which the test files learn that there is no browser here. */
export const NO_CHROMIUM = 'JOBGUARD_TEST_NO_CHROMIUM';
/** The variable by which they learn where it is. */
export const CHROMIUM = 'CHROMIUM';

const ROOT = join(import.meta.dirname, '../..');

/** Builds the site once, before all files of this layer. */
export default async function setup(): Promise<void> {
  try {
    process.env[CHROMIUM] = chromium();
  } catch (error) {
    failInCi('the tests of the site: no Chromium', error);
    process.env[NO_CHROMIUM] = 'true';
    return;
  }
  const { code, stdout, stderr } = await run(process.execPath, ['site/build.ts'], { cwd: ROOT, timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`The site cannot be built: ${stdout}${stderr}`);
}

/** Where Debian's package and others put it. */
const PLACES: readonly string[] = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

function chromium(): string {
  const found = givenProgram(CHROMIUM) ?? PLACES.find((path) => existsSync(path));
  if (found === undefined) throw new Error('There is no chromium; on Debian: apt-get install chromium');
  return found;
}
