import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fillFolder, userCache } from '../support/user-cache.ts';

/** Returns the path of the program that the pods of the tests run, which needs no library; programs/idle says what it does. */
export async function idleProgram(): Promise<string> {
  const folder = join(userCache(), 'tools', 'idle');
  await fillFolder(folder, ['idle'], async (_missing, staging) => {
    await promisify(execFile)(
      'go',
      ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(staging, 'idle'), './idle'],
      {
        cwd: join(import.meta.dirname, 'programs'),
        env: { ...process.env, GOWORK: 'off', GOOS: '', GOARCH: '', CGO_ENABLED: '0' },
      },
    );
  });
  return join(folder, 'idle');
}
