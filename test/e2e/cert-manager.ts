import { join } from 'node:path';
import type { Cluster } from '../../tools/node/cluster.ts';
import { start } from '../../tools/child-process.ts';
import { moduleFolder } from '../../tools/go/module.ts';
import { goProgram } from '../../tools/go/program.ts';

/** As required by cert-manager/go.mod. */
const VERSION = 'v1.21.2';
const KINDS = ['certificates', 'certificaterequests', 'clusterissuers', 'issuers'];

/** Returns the path of a program with cert-manager's own controllers; the first time that takes minutes. */
export async function certManagerProgram(): Promise<string> {
  return goProgram(join(import.meta.dirname, 'cert-manager'));
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
