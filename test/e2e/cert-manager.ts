import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from '../cluster/cluster.ts';
import { start } from '../support/child-process.ts';
import { moduleFolder } from '../support/go-module.ts';
import { fillFolder, userCache } from '../support/user-cache.ts';

const VERSION = 'v1.21.2';
const NAME = 'cert-manager';
const KINDS = ['certificates', 'certificaterequests', 'clusterissuers', 'issuers'];

/** Returns the path of a program with cert-manager's own controllers, built where it is the first time, which takes minutes. */
export async function certManagerProgram(): Promise<string> {
  const folder = join(userCache(), 'tools', `${NAME}-${VERSION}`);
  await fillFolder(folder, [NAME], async (_missing, staging) => {
    process.stderr.write(`building ${NAME} ${VERSION} from its Go module; it takes minutes, the first time\n`);
    await promisify(execFile)('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(staging, NAME), '.'], {
      cwd: join(import.meta.dirname, NAME),
      env: { ...process.env, GOWORK: 'off', CGO_ENABLED: '0' },
      maxBuffer: 2 ** 26,
    });
  });
  return join(folder, NAME);
}

/** Installs cert-manager's kinds and runs its controllers, as a process of this machine, until it is disposed of. */
export async function startCertManager(cluster: Cluster): Promise<AsyncDisposable> {
  const crds = join(await moduleFolder(`github.com/cert-manager/cert-manager@${VERSION}`), 'deploy/crds');
  const files = KINDS.flatMap((kind) => ['--filename', join(crds, `cert-manager.io_${kind}.yaml`)]);
  const applied = await cluster.kubectl(['apply', '--server-side', ...files]);
  if (applied.code !== 0) throw new Error(applied.stderr);
  const definitions = KINDS.map((kind) => `customresourcedefinition/${kind}.cert-manager.io`);
  const established = await cluster.kubectl(['wait', '--for=condition=Established', ...definitions]);
  if (established.code !== 0) throw new Error(established.stderr);
  const running = start(await certManagerProgram(), ['--kubeconfig', cluster.kubeconfig]);
  return { [Symbol.asyncDispose]: () => running.stop() };
}
