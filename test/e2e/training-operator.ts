import { expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collection, mergePatch, PYTORCH_JOB, TF_JOB, workers, type JobKind } from '../apiserver/jobs.ts';
import type { Cluster } from '../../tools/node/cluster.ts';
import { writeIdleArchive } from '../../tools/node/idle-image.ts';
import { writeImageArchive } from '../../tools/node/image-archive.ts';
import { loadImages } from '../../tools/node/load-images.ts';
import { eventually } from '../../tools/eventually.ts';
import { moduleFolder } from '../../tools/go/module.ts';
import { at } from '../../tools/json-at.ts';
import { MODULE, trainingOperatorProgram, VERSION } from './operator-program.ts';
import { logs } from './pods.ts';
import { inNamespaces, install, metricsOf, type Release } from './release.ts';

const OPERATOR_IMAGE = `docker.io/jobguard-test/training-operator:${VERSION}`;
const IDLE_IMAGE = 'docker.io/jobguard-test/idle:1';
const NAME = 'jobguard-operated';
const TIMEOUT_MS = 600_000;
const TTL_S = 10;

/** The operator whose jobs are guarded never notices. */
export function trainingOperator(cluster: () => Cluster): void {
  test(
    `training-operator ${VERSION} runs a TFJob and a PyTorchJob to their end and cleans up, with no exemption`,
    async () => {
      await using undo = new AsyncDisposableStack();
      undo.use(await installOperator(cluster()));
      // Not even the garbage collector is exempted.
      const policy = { presets: { garbageCollector: false } };
      await using release = await install(cluster(), NAME, { policy });
      const jobs = await Promise.all([
        startJob(cluster(), TF_JOB, 'Chief'),
        startJob(cluster(), PYTORCH_JOB, 'Master'),
      ]);
      for (const [of, job] of jobs) {
        await running(cluster(), job);
        expect((await mergePatch(cluster(), job, workers(of, 9))).status).toBe(403);
      }
      const ran = await Promise.all(jobs.map(([, job]) => succeeded(cluster(), job)));
      await Promise.all(jobs.map(([, job]) => gone(cluster(), job)));
      expect(await belongings(cluster())).toEqual([]);
      const decisions = await decisionsOf(cluster(), release);
      const denials = await denialsOf(cluster(), release);
      process.stdout.write(
        `training-operator: succeeded after ${ran.join(' and ')}; jobguard: ${JSON.stringify(decisions)}\n`,
      );
      expect(decisions).toMatchObject({ deny: denials.length, exempt: 0, unjudgeable: 0 });
      // One PATCH may be judged twice: where the operator writes the job's status meanwhile, the API server, which judges what
      // it has cached, fetches the job and asks again (k8s.io/apiserver pkg/storage/etcd3/store.go, GuaranteedUpdate).
      const user = await userOf(cluster());
      const patched = jobs.map(([of]) => ({
        user,
        name: nameOf(of),
        paths: [`/spec/${of.replicaSpecs}/Worker/replicas`],
      }));
      expect(new Set(denials.map((each) => JSON.stringify(each)))).toEqual(
        new Set(patched.map((each) => JSON.stringify(each))),
      );
    },
    TIMEOUT_MS,
  );
}

/** Installs the operator as its project says, from images made here, until it is disposed of; it judges jobs where ours are. */
async function installOperator(cluster: Cluster): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-operator-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const archive = join(folder, 'image.tar');
  await writeImageArchive(archive, {
    name: OPERATOR_IMAGE,
    entrypoint: ['/manager'],
    files: {
      '/manager': await trainingOperatorProgram(),
      '/etc/config/initContainer.yaml': join(import.meta.dirname, 'init-container.yaml'),
    },
  });
  await loadImages(cluster.loadCommand, archive);
  await writeIdleArchive(archive, IDLE_IMAGE);
  await loadImages(cluster.loadCommand, archive);
  const manifests = join(await moduleFolder(`${MODULE}@${VERSION}`), 'manifests/overlays/standalone');
  const rendered = await cluster.kubectl(['kustomize', manifests]);
  const stdin = rendered.stdout
    .replace(/image: ghcr\.io\/kubeflow\/\S+/, `image: ${OPERATOR_IMAGE}`)
    .replace(/^ {2}failurePolicy: .*/gm, `$&\n  namespaceSelector: ${JSON.stringify(inNamespaces(['default']))}`);
  const applied = await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--filename=-'], { stdin });
  if (applied.code !== 0) throw new Error(applied.stderr);
  const status = ['--namespace=kubeflow', 'rollout', 'status', 'deployment/training-operator', '--timeout=240s'];
  const { code, stderr } = await cluster.kubectl(status, { timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`${stderr}${(await cluster.kubectl(['-n', 'kubeflow', 'describe', 'pods'])).stdout}`);
  return { [Symbol.asyncDispose]: () => uninstallOperator(cluster) };
}

/** Takes away what acts; the kinds stay. */
async function uninstallOperator(cluster: Cluster): Promise<void> {
  const webhook = 'validatingwebhookconfiguration/validator.training-operator.kubeflow.org';
  await cluster.kubectl(['delete', '--ignore-not-found', webhook]);
  await cluster.kubectl(['delete', 'namespace', 'kubeflow', '--wait=false']);
}

/** Creates a job of one `first` replica and two workers, whose pods are ready to end after some seconds. */
async function startJob(cluster: Cluster, of: JobKind, first: string): Promise<[JobKind, string]> {
  const container = { name: of.container, image: IDLE_IMAGE, args: ['8s'] };
  const replica = { restartPolicy: 'Never', template: { spec: { containers: [container] } } };
  const job = {
    apiVersion: 'kubeflow.org/v1',
    kind: of.kind,
    // The operator names pods and Services by the job alone, not by its kind.
    metadata: { name: nameOf(of) },
    spec: {
      runPolicy: { cleanPodPolicy: 'All', ttlSecondsAfterFinished: TTL_S },
      [of.replicaSpecs]: { [first]: { ...replica, replicas: 1 }, Worker: { ...replica, replicas: 2 } },
    },
  };
  // The operator has a webhook of its own, which may be a moment later than its pod.
  await eventually(
    `the ${of.kind}`,
    async () => {
      const { status, text } = await cluster.request('POST', collection(of), { body: job });
      if (status !== 201 && status !== 500) throw new Error(text);
      return status === 201 ? true : undefined;
    },
    { timeoutMs: 60_000, intervalMs: 500 },
  );
  return [of, `${collection(of)}/${nameOf(of)}`];
}

function nameOf({ plural }: JobKind): string {
  return `trained-${plural}`;
}

async function running(cluster: Cluster, job: string): Promise<void> {
  await condition(cluster, job, 'Running');
}

async function succeeded(cluster: Cluster, job: string): Promise<string> {
  const startedAt = Date.now();
  await condition(cluster, job, 'Succeeded');
  return `${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
}

async function condition(cluster: Cluster, job: string, type: string): Promise<void> {
  await eventually(
    `${job} to be ${type}`,
    async () => {
      const { json } = await cluster.request('GET', job);
      const conditions = at(json, 'status', 'conditions');
      return Array.isArray(conditions) && conditions.some((each) => at(each, 'type') === type) ? true : undefined;
    },
    { timeoutMs: 120_000, intervalMs: 250 },
  );
}

async function gone(cluster: Cluster, job: string): Promise<void> {
  await eventually(
    `${job} to be cleaned up`,
    async () => ((await cluster.request('GET', job)).status === 404 ? true : undefined),
    { timeoutMs: 120_000, intervalMs: 500 },
  );
}

/** Returns what the jobs had and still has not gone. */
async function belongings(cluster: Cluster): Promise<string[]> {
  const look = ['get', 'pods,services', '--selector=training.kubeflow.org/job-name', '--output=name'];
  let found: string[] = [];
  await eventually(
    'pods and services to go',
    async () => {
      found = (await cluster.kubectl(look)).stdout.split('\n').filter((line) => line !== '');
      return found.length === 0 ? true : undefined;
    },
    { timeoutMs: 60_000, intervalMs: 500 },
  ).catch(() => undefined);
  return found;
}

/** What a denial's line in the log says of who asked for what. */
interface Denial {
  readonly user: unknown;
  readonly name: unknown;
  readonly paths: unknown;
}

/** Returns every denial that the pods have logged. */
async function denialsOf(cluster: Cluster, release: Release): Promise<Denial[]> {
  const lines = (await logs(cluster, release, await release.pods())).trimEnd().split('\n');
  const events = lines.map((line): unknown => JSON.parse(line));
  const denials = events.filter((event) => at(event, 'decision') === 'deny');
  return denials.map((event) => ({ user: at(event, 'user'), name: at(event, 'name'), paths: at(event, 'paths') }));
}

/** Returns as whom the test itself asks. */
async function userOf(cluster: Cluster): Promise<unknown> {
  const { stdout } = await cluster.kubectl(['auth', 'whoami', '--output=json']);
  return at(JSON.parse(stdout), 'status', 'userInfo', 'username');
}

/** Returns how often each decision fell, in all pods together. */
async function decisionsOf(cluster: Cluster, release: Release): Promise<Record<string, number>> {
  const metrics = await Promise.all((await release.pods()).map((pod) => metricsOf(cluster, release, pod)));
  const series = /^jobguard_admission_requests_total\{[^}]*decision="(?<decision>[^"]+)"[^}]*\} (?<count>\S+)$/gm;
  const decisions: Record<string, number> = {};
  for (const { groups } of metrics.join('\n').matchAll(series)) {
    const decision = groups?.['decision'] ?? '';
    decisions[decision] = (decisions[decision] ?? 0) + Number(groups?.['count']);
  }
  return decisions;
}
