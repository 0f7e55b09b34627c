/**
 * Shows jobguard in a Kubernetes of its own: starts an API server, registers the webhook as the Helm chart does, changes two
 * jobs through kubectl, and leaves everything running, with a kubeconfig, until Ctrl-C.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startControlPlane, type ControlPlane } from '../tools/kubernetes/control-plane.ts';
import { at } from '../tools/json-at.ts';
import { writeKubeconfig } from '../tools/kubernetes/kubeconfig.ts';
import { kubernetesBinaries } from '../tools/kubernetes/binaries.ts';
import { startLocalRelease } from '../tools/local-release.ts';

const NAMESPACE = 'kube-test';
const JOBS = join(import.meta.dirname, 'jobs');

/** What the API server alone may set. */
const SERVER_FIELDS = ['creationTimestamp', 'generation', 'resourceVersion', 'selfLink', 'uid'];

const REPLICAS_PATCHES = {
  tfjob: '{"spec":{"tfReplicaSpecs":{"Worker":{"replicas":4}}}}',
  pytorchjob: '{"spec":{"pytorchReplicaSpecs":{"Worker":{"replicas":4}}}}',
};

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interruption.abort());

await using running = new AsyncDisposableStack();
try {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-demo-'));
  running.defer(() => rm(folder, { recursive: true }));
  say('Starting etcd and kube-apiserver, with the operator’s kinds: some ten seconds, and minutes the first time.');
  const cluster = await startControlPlane('first generation');
  running.defer(cluster.stop);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(cluster, kubeconfig);

  say('Starting jobguard with the policy that charts/jobguard renders, and registering it with the chart’s webhook.');
  running.use(await startLocalRelease(cluster));

  await showJobs(cluster);
  const { folder: binaries } = await kubernetesBinaries();
  say(`Now you, in another terminal:

  export KUBECONFIG=${kubeconfig}
  alias kubectl=${join(binaries, 'kubectl')}
  kubectl config set-context --current --namespace ${NAMESPACE}
  kubectl get tfjobs,pytorchjobs
  kubectl edit tfjob tfjob-test
  kubectl get validatingwebhookconfigurations -o yaml

Ctrl-C ends it all.`);
  if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
} catch (error) {
  // Ctrl-C reaches the API server too, so that what is still being set up fails.
  if (!interruption.signal.aborted) throw error;
}
say('Cleaning up.');

async function showJobs(cluster: ControlPlane): Promise<void> {
  say('Creating the two jobs of the documentation.');
  await kubectl(cluster, ['create', 'namespace', NAMESPACE]);
  for (const kind of ['tfjob', 'pytorchjob'] as const) {
    const job = await newJob(`${kind}.json`);
    await kubectl(cluster, ['create', '--filename=-'], JSON.stringify(job));
    const patch = ['--namespace', NAMESPACE, 'patch', kind, String(at(job, 'metadata', 'name')), '--type=merge'];

    say(`A label of the ${kind} may change. The API server need not even ask jobguard:`);
    await kubectl(cluster, [...patch, '--patch', '{"metadata":{"labels":{"team":"vision"}}}']);

    say('The number of its replicas may not:');
    await kubectl(cluster, [...patch, '--patch', REPLICAS_PATCHES[kind]]);
  }
}

/** Reads a job as the documentation shows it and takes out what nobody can send. */
async function newJob(file: string): Promise<unknown> {
  const job = await readFile(join(JOBS, file), 'utf8');
  return JSON.parse(job, (key, value: unknown) => (SERVER_FIELDS.includes(key) ? undefined : value));
}

/** Runs kubectl and shows the command and what came of it. */
async function kubectl(cluster: ControlPlane, args: readonly string[], stdin = ''): Promise<void> {
  const shown = args.map((arg) => (arg.includes('"') ? `'${arg}'` : arg)).join(' ');
  process.stdout.write(`\n$ kubectl ${shown}\n`);
  const { stdout, stderr } = await cluster.kubectl(args, { stdin });
  process.stdout.write(stdout + stderr);
}

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}
