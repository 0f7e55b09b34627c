import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { eventually } from '../../../tools/eventually.ts';
import { freePort } from '../../../tools/free-port.ts';
import { call } from '../../support/https-client.ts';
import { fillFolder, userCache } from '../../../tools/user-cache.ts';
import { startProgram, type Contender } from '../contender.ts';
import { startStubApiServer } from '../stub-api-server.ts';

/**
 * The newest that could be installed. Of 1.2.1 others speak, npm answered 404 for it; what npm has as 20.0.0 is older code,
 * on kubernetes-fluent-client 1.9.0 where 1.1.4 is on 3.11.6.
 */
const VERSION = '1.1.4';
const TOKEN = 'bench';

/** Pepr with its own logging and metrics, run by the same Node as everything else. */
export const pepr: Contender = {
  name: 'pepr',
  prepare: async () => {
    const folder = await install();
    return {
      version: `Pepr ${VERSION}, Node ${process.version}`,
      start: async (site) => {
        const port = await freePort();
        await using undo = new AsyncDisposableStack();
        const { kubeconfig } = undo.use(await startStubApiServer(site.folder));
        const serving = await startProgram(site, {
          name: 'pepr',
          command: process.execPath,
          args: [join(import.meta.dirname, '../servers/pepr.js'), String(port)],
          env: {
            PEPR: folder,
            KUBECONFIG: kubeconfig,
            NODE_ENV: 'production',
            PEPR_API_PATH: TOKEN,
            ...{ SSL_CERT_PATH: site.certFile, SSL_KEY_PATH: site.keyFile },
          },
          port,
          path: `/validate/${TOKEN}`,
        });
        undo.defer(serving.stop);
        // It answers 404 until it has found its store.
        await eventually('pepr to serve', async () => {
          const { status } = await call({ port, ca: site.ca }, { path: '/healthz', method: 'GET' });
          return status === 200 ? true : undefined;
        });
        const running = undo.move();
        return { ...serving, stop: () => running.disposeAsync() };
      },
    };
  },
};

/** Installs Pepr into the user's cache: the benchmark alone needs it, and the project does not depend on it. */
async function install(): Promise<string> {
  const folder = join(userCache(), 'tools', `pepr-${VERSION}`);
  await fillFolder(folder, ['node_modules'], async (_missing, staging) => {
    process.stderr.write(`installing Pepr ${VERSION}; it takes a minute, the first time\n`);
    await mkdir(staging, { recursive: true });
    await writeFile(join(staging, 'package.json'), '{"private":true}');
    await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `pepr@${VERSION}`], {
      cwd: staging,
      maxBuffer: 2 ** 26,
    });
  });
  return folder;
}
