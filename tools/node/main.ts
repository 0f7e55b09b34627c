/**
 * Gives you a Kubernetes of one node on this machine, with the operator's kinds, jobguard's image and its chart installed,
 * until Ctrl-C.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART, helm, helmBinary } from '../helm.ts';
import { kubernetesBinaries } from '../kubernetes/binaries.ts';
import { startCluster } from './cluster.ts';
import { IMAGE, writeJobguardArchive } from './jobguard-archive.ts';
import { loadImages } from './load-images.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interruption.abort());

await using running = new AsyncDisposableStack();
try {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-archive-'));
  running.defer(() => rm(folder, { recursive: true }));
  say('Building the image.');
  const archive = join(folder, 'jobguard.tar');
  await writeJobguardArchive(archive);
  say('Starting a node: a quarter of a minute, and minutes the first time.');
  const cluster = await startCluster();
  running.defer(cluster.stop);
  await loadImages(cluster.loadCommand, archive);

  const image = Object.entries(IMAGE).flatMap(([key, value]) => ['--set', `image.${key}=${value}`]);
  const install = ['install', 'jobguard', CHART, '--namespace=jobguard', '--create-namespace', ...image];
  say(`helm ${install.join(' ')}`);
  const installed = await helm([...install, '--wait', '--kubeconfig', cluster.kubeconfig]);
  if (installed.code !== 0) throw new Error(installed.stderr);
  process.stdout.write(installed.stdout);

  const { folder: binaries } = await kubernetesBinaries();
  say(`Now you, in another terminal:

  export KUBECONFIG=${cluster.kubeconfig}
  export LOAD_IMAGES='${cluster.loadCommand.join(' ')}'
  alias kubectl=${join(binaries, 'kubectl')} helm=${await helmBinary()}
  kubectl get pods --all-namespaces
  helm --namespace jobguard test jobguard

With both variables \`npm run jest -- --selectProjects e2e\` runs on this cluster, once you have uninstalled jobguard.
Ctrl-C ends it all.`);
  if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
} catch (error) {
  // Ctrl-C reaches the node's programs too, so that what is still being set up fails.
  if (!interruption.signal.aborted) throw error;
}
say('Cleaning up.');

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}
