/**
 * Shows jobguard in a Kubernetes of its own: starts a control plane, registers the webhook as the Helm chart does, creates two
 * jobs, and prints a tour of commands to paste. Everything keeps running until Ctrl-C.
 */
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from '../tools/child-process.ts';
import { freePort } from '../tools/free-port.ts';
import { isHelmBuilt } from '../tools/helm.ts';
import { BUNDLE } from '../tools/jobguard-process.ts';
import { kubernetesBinaries, missingBinaries } from '../tools/kubernetes/binaries.ts';
import { startControlPlane, type ControlPlane } from '../tools/kubernetes/control-plane.ts';
import { writeKubeconfig } from '../tools/kubernetes/kubeconfig.ts';
import { startLocalRelease } from '../tools/local-release.ts';
import { userCache } from '../tools/user-cache.ts';
import { TOUR, tourText } from './tour.ts';

const NAMESPACE = 'training';
const JOB_FILES = ['tfjob.yaml', 'pytorchjob.yaml'].map((name) => join(import.meta.dirname, name));
/** Of a failure that quotes a whole build, the beginning says most. */
const MAX_FAILURE_LENGTH = 400;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interruption.abort());

await using running = new AsyncDisposableStack();
try {
  say(await forecast());
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-demo-'));
  running.defer(() => rm(folder, { recursive: true }));
  const cluster = await startControlPlane('training-operator 1.9');
  running.defer(cluster.stop);
  await cluster.startControllerManager();
  const metricsPort = await freePort();
  const logFile = join(folder, 'jobguard.log');
  // At level debug the log has every update that jobguard is asked about.
  running.use(await startLocalRelease(cluster, { values: { log: { level: 'debug' } } }, { metricsPort, logFile }));
  await createJobs(cluster);
  const environment = await furnish(cluster, folder);
  say(`Kubernetes and jobguard are running. Paste this into another terminal, then the steps below:

     . ${environment}

${tourText(TOUR)}
What jobguard is asked, and answers:

     tail -f ${logFile}

What it counts:

     curl --silent http://127.0.0.1:${metricsPort}/metrics | grep '^jobguard_admission_requests_total.* [1-9]'

Ctrl-C here ends it all and leaves nothing behind.`);
  if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
} catch (error) {
  // Ctrl-C reaches the API server, too, so that what is still being set up fails.
  if (!interruption.signal.aborted) fail(error);
}
if (interruption.signal.aborted) say('Cleaning up.');

/** Says how long it will take. */
async function forecast(): Promise<string> {
  const missing = [...(await missingBinaries()), ...(isHelmBuilt() ? [] : ['helm'])];
  if (missing.length === 0) return 'Starting Kubernetes and jobguard. This takes about 20 seconds.';
  return `Getting ${missing.join(', ')} first, once. Where they cannot be downloaded they are built, which takes up to 15 minutes.
What is finished is kept in ${userCache()}: if you press Ctrl-C, the next start goes on from there.`;
}

async function createJobs(cluster: ControlPlane): Promise<void> {
  await kubectl(cluster, ['create', 'namespace', NAMESPACE]);
  for (const file of JOB_FILES) await kubectl(cluster, ['apply', '--filename', file]);
}

async function kubectl(cluster: ControlPlane, args: readonly string[]): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

/** Writes what the tour needs, and returns the file that makes a shell ready for it. */
async function furnish(cluster: ControlPlane, folder: string): Promise<string> {
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(cluster, kubeconfig);
  const program = join((await kubernetesBinaries()).folder, 'kubectl');
  const context = ['config', 'set-context', '--current', '--namespace', NAMESPACE];
  await run(program, ['--kubeconfig', kubeconfig, ...context]);

  const bin = join(folder, 'bin');
  await mkdir(bin);
  await symlink(program, join(bin, 'kubectl'));
  const plugin = join(bin, 'kubectl-jobguard');
  await writeFile(plugin, `#!/bin/sh\nexec '${process.execPath}' '${BUNDLE}' "$@"\n`);
  await chmod(plugin, 0o755);

  const [tfJob = ''] = JOB_FILES;
  const changed = (await readFile(tfJob, 'utf8'))
    .replace('team: vision', 'team: audio')
    .replace('mnist:v1', 'mnist:v2');
  await writeFile(join(folder, 'changed.yaml'), changed);
  const environment = join(folder, 'env');
  await writeFile(environment, `cd '${folder}'\nexport KUBECONFIG='${kubeconfig}' PATH='${bin}':"$PATH"\n`);
  return environment;
}

function fail(error: unknown): void {
  const text = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
  process.stderr.write(`The demo failed: ${text.slice(0, MAX_FAILURE_LENGTH)}\n`);
  process.exitCode = 1;
}

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}
