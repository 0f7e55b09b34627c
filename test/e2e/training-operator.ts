import { expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collection, mergePatch, PYTORCH_JOB, TF_JOB, workers, type JobKind } from '../apiserver/jobs.ts';
import type { Cluster } from '../../tools/node/cluster.ts';
import { writeIdleArchive } from '../../tools/node/idle-image.ts';
import { writeImageArchive } from '../../tools/node/image-archive.ts';
import { loadImages } from '../../tools/node/load-images.ts';
import { run } from '../../tools/child-process.ts';
import { eventually } from '../../tools/eventually.ts';
import { BUNDLE } from '../../tools/jobguard-process.ts';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
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

/** A kind of job, and its replica type that leads. */
interface Trained {
  readonly of: JobKind;
  readonly first: string;
}

const TRAINED: readonly Trained[] = [
  { of: TF_JOB, first: 'Chief' },
  { of: PYTORCH_JOB, first: 'Master' },
];

/** The operator whose jobs are guarded never notices. */
export function trainingOperator(cluster: () => Cluster): void {
  test(
    `training-operator ${VERSION} runs a TFJob and a PyTorchJob to their end, and those that the denials' commands make of them`,
    async () => {
      await using undo = new AsyncDisposableStack();
      undo.use(await installOperator(cluster()));
      // Not even the garbage collector is exempted.
      const policy = { presets: { garbageCollector: false } };
      await using release = await install(cluster(), NAME, { policy });
      const jobs = await Promise.all(TRAINED.map((trained) => startJob(cluster(), trained)));
      const again: string[] = [];
      for (const [index, trained] of TRAINED.entries()) {
        const job = jobs[index] ?? '';
        await running(cluster(), job);
        const denial = await mergePatch(cluster(), job, workers(trained.of, 9));
        expect(denial.status).toBe(403);
        again.push(await runAgain(cluster(), trained, denial));
      }
      const all = [...jobs, ...again];
      const ran = await Promise.all(all.map((job) => succeeded(cluster(), job)));
      await Promise.all(all.map((job) => gone(cluster(), job)));
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
      const patched = TRAINED.map(({ of }) => ({
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

/** Runs the command that a denial names, with one worker instead of two, and returns the path of the job that it makes. */
async function runAgain(cluster: Cluster, trained: Trained, denial: Answer): Promise<string> {
  const { of } = trained;
  const { command } = /kubectl jobguard (?<command>rerun .*? --create)/.exec(denial.text)?.groups ?? {};
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-rerun-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const file = join(folder, 'job.json');
  await writeFile(file, JSON.stringify(jobOf(trained, 1)));
  const flags = (command ?? '').split(' ').map((word) => (word === 'FILENAME' ? file : word));
  const more = ['--yes', '--wait', '--timeout', '2m', '--kubeconfig', cluster.kubeconfig];
  const { code, stdout, stderr } = await run(process.execPath, [BUNDLE, ...flags, ...more], { timeoutMs: 150_000 });
  expect({ code, wrong: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, wrong: '' });
  const path = `${collection(of)}/${nameOf(of)}-2`;
  const { json } = await cluster.request('GET', path);
  expect(at(json, 'spec', of.replicaSpecs, 'Worker', 'replicas')).toBe(1);
  return path;
}

/** Creates a job with two workers, and returns its path. */
async function startJob(cluster: Cluster, trained: Trained): Promise<string> {
  const { of } = trained;
  // The operator has a webhook of its own, which may be a moment later than its pod.
  await eventually(
    `the ${of.kind}`,
    async () => {
      const { status, text } = await cluster.request('POST', collection(of), { body: jobOf(trained, 2) });
      if (status !== 201 && status !== 500) throw new Error(text);
      return status === 201 ? true : undefined;
    },
    { timeoutMs: 60_000, intervalMs: 500 },
  );
  return `${collection(of)}/${nameOf(of)}`;
}

/** Returns a job of one `first` replica and some workers, whose pods are ready to end after some seconds. */
function jobOf({ of, first }: Trained, replicas: number): object {
  const container = { name: of.container, image: IDLE_IMAGE, args: ['8s'] };
  const replica = { restartPolicy: 'Never', template: { spec: { containers: [container] } } };
  return {
    apiVersion: 'kubeflow.org/v1',
    kind: of.kind,
    // The operator names pods and Services by the job alone, not by its kind.
    metadata: { name: nameOf(of) },
    spec: {
      runPolicy: { cleanPodPolicy: 'All', ttlSecondsAfterFinished: TTL_S },
      [of.replicaSpecs]: { [first]: { ...replica, replicas: 1 }, Worker: { ...replica, replicas } },
    },
  };
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
