import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { checkCommand } from '../../src/commands/check.ts';
import { rerunCommand } from '../../src/commands/rerun.ts';
import { isMap, ownValue, type JsonMap, type JsonValue } from '../../src/core/json.ts';
import { createJsonPatch } from '../../src/kube/json-patch.ts';
import { applyMergePatch } from '../../src/kube/merge-patch.ts';
import { at } from '../../tools/json-at.ts';
import { runCommand } from '../support/run-command.ts';
import { startGuardedCluster, type GuardedCluster } from './guarded-cluster.ts';
import { jobNamed, PYTORCH_JOB, TF_JOB, type JobKind } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

/**
 * `jobguard check` is asked about updates that are really sent, as dry runs, to an API server that jobguard guards. Both
 * have to say the same of each, and name the same fields.
 */

const asMap = (value: unknown): JsonMap => JSON.parse(JSON.stringify(value)) as JsonMap;

/** The manifest that every update starts from: of each kind of field that may change or not it has one. */
function manifestOf(kind: JobKind): JsonMap {
  const job = asMap(
    jobNamed('mnist', kind, {
      metadata: { labels: { team: 'vision', stage: 'trial' }, annotations: { note: 'a' } },
      spec: { runPolicy: { cleanPodPolicy: 'None', backoffLimit: 3, schedulingPolicy: { queue: 'a' } } },
    }),
  );
  return edited(job, inWorker(kind, { nodeSelector: { zone: 'a' }, volumes: [{ name: 'data', emptyDir: {} }] }));
}

/** A merge patch of the spec of the workers' pods. */
const inWorker = ({ replicaSpecs }: JobKind, spec: JsonMap): JsonMap => ({
  spec: { [replicaSpecs]: { Worker: { template: { spec } } } },
});

function edited(job: JsonMap, patch: JsonMap): JsonMap {
  return asMap(applyMergePatch(job, patch));
}

/** A merge patch that replaces the workers' only container by itself with other fields. */
const inContainer =
  (fields: JsonMap) =>
  (kind: JobKind): JsonMap => {
    const container = {
      name: kind.container,
      image: 'train:v1',
      args: ['--epochs', '3'],
      env: [{ name: 'TOKEN', value: 'secret' }],
      resources: { limits: { cpu: '2', memory: '4Gi' } },
    };
    return inWorker(kind, { containers: [edited(container, fields)] });
  };

const inSpec = (spec: JsonMap) => (): JsonMap => ({ spec });
const inMetadata = (metadata: JsonMap) => (): JsonMap => ({ metadata });

const EDITS: Readonly<Record<string, (kind: JobKind) => JsonMap>> = {
  nothing: () => ({}),
  'a label': inMetadata({ labels: { team: 'audio' } }),
  'a label more': inMetadata({ labels: { tier: 'gold' } }),
  'a label less': inMetadata({ labels: { stage: null } }),
  'no labels': inMetadata({ labels: null }),
  'an annotation': inMetadata({ annotations: { note: 'b', 'a/b': 'c' } }),
  'a finalizer': inMetadata({ finalizers: ['example.com/a'] }),
  'an owner': inMetadata({ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: '1' }] }),
  'no finalizers': inMetadata({ finalizers: [] }),
  'an allowed field': inSpec({ runPolicy: { cleanPodPolicy: 'All' } }),
  'an allowed field less': inSpec({ runPolicy: { cleanPodPolicy: null } }),
  'allowed fields more': inSpec({ runPolicy: { activeDeadlineSeconds: 60, ttlSecondsAfterFinished: 0 } }),
  'a backoff limit': inSpec({ runPolicy: { backoffLimit: 4 } }),
  'no backoff limit': inSpec({ runPolicy: { backoffLimit: null } }),
  'no run policy': inSpec({ runPolicy: null }),
  'an empty run policy': inSpec({ runPolicy: { cleanPodPolicy: null, backoffLimit: null, schedulingPolicy: null } }),
  'a suspension': inSpec({ runPolicy: { suspend: true } }),
  'the default of a suspension': inSpec({ runPolicy: { suspend: false } }),
  'a field of the scheduling': inSpec({ runPolicy: { schedulingPolicy: { minAvailable: 2 } } }),
  'a label and a field of the scheduling': () => ({
    metadata: { labels: { team: 'b' } },
    spec: { runPolicy: { schedulingPolicy: { minAvailable: 2 } } },
  }),
  'a number of workers': ({ replicaSpecs }) => ({ spec: { [replicaSpecs]: { Worker: { replicas: 3 } } } }),
  'a restart policy': ({ replicaSpecs }) => ({ spec: { [replicaSpecs]: { Worker: { restartPolicy: 'Never' } } } }),
  'a replica type less': ({ replicaSpecs, firstReplica }) => ({ spec: { [replicaSpecs]: { [firstReplica]: null } } }),
  'a replica type more': ({ replicaSpecs }) => ({
    spec: { [replicaSpecs]: { Chief: { replicas: 1, template: { spec: { containers: [{ name: 'x' }] } } } } },
  }),
  'an image': inContainer({ image: 'train:v2' }),
  'an argument': inContainer({ args: ['--epochs', '4'] }),
  'an argument less': inContainer({ args: ['--epochs'] }),
  'no arguments': inContainer({ args: null }),
  'an environment': inContainer({ env: [{ name: 'TOKEN', value: 'other' }] }),
  'no environment': inContainer({ env: [] }),
  'a command': inContainer({ command: ['python'] }),
  'a limit': inContainer({ resources: { limits: { cpu: '3' } } }),
  'a limit in another spelling': inContainer({ resources: { limits: { cpu: '2000m', memory: '4096Mi' } } }),
  'a limit as a number': inContainer({ resources: { limits: { cpu: 2 } } }),
  'a request': inContainer({ resources: { requests: { cpu: '1' } } }),
  'a port': inContainer({ ports: [{ containerPort: 80 }] }),
  'no ports': inContainer({ ports: [] }),
  'a false pointer': inContainer({ securityContext: { privileged: false } }),
  'an empty security context': inContainer({ securityContext: {} }),
  'a zero that is no pointer': inContainer({ tty: false, stdin: false, workingDir: '' }),
  'a container more': (kind) => inWorker(kind, { initContainers: [{ name: 'x', image: 'y' }] }),
  'a node selector': (kind) => inWorker(kind, { nodeSelector: { zone: 'b' } }),
  'a node selector less': (kind) => inWorker(kind, { nodeSelector: { zone: null } }),
  'tolerations of nothing': (kind) => inWorker(kind, { tolerations: [] }),
  'a toleration': (kind) => inWorker(kind, { tolerations: [{ operator: 'Exists' }] }),
  'a volume': (kind) => inWorker(kind, { volumes: [{ name: 'data', emptyDir: { medium: 'Memory' } }] }),
  'no volumes': (kind) => inWorker(kind, { volumes: null }),
  'a priority': (kind) => inWorker(kind, { priorityClassName: 'high' }),
  'a host network': (kind) => inWorker(kind, { hostNetwork: true, hostPID: false }),
  'a status': () => ({ status: { conditions: [], replicaStatuses: {} } }),
};

/** What an API server or `check` says of an update. */
interface Answer {
  readonly allowed: boolean;
  /** The refused fields; at most ten. */
  readonly fields: readonly string[];
}

const MAX_CAUSES = 10;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

describeWithControlPlane('check says what the API server says of', () => {
  let cluster: GuardedCluster;
  const stored = new Map<JobKind, JsonMap>();
  const pathOf = ({ plural }: JobKind): string => `/apis/kubeflow.org/v1/namespaces/default/${plural}/mnist`;

  beforeAll(async () => {
    cluster = await startGuardedCluster('training-operator 1.9');
    for (const kind of [TF_JOB, PYTORCH_JOB]) {
      const stdin = JSON.stringify(withPorts(manifestOf(kind), kind));
      expect(await cluster.kubectl(['apply', '-f', '-'], { stdin })).toMatchObject({ code: 0 });
      stored.set(kind, asMap((await cluster.request('GET', pathOf(kind))).json));
    }
  });
  afterAll(() => cluster.stop());

  /** Gives the first container a port without a protocol, which the CRD has a default for. */
  function withPorts(job: JsonMap, { replicaSpecs, firstReplica, container }: JobKind): JsonMap {
    const containers = [{ name: container, image: 'train:v1', ports: [{ containerPort: 80 }] }];
    return edited(job, { spec: { [replicaSpecs]: { [firstReplica]: { template: { spec: { containers } } } } } });
  }

  /** Sends an update as a dry run. */
  async function send(kind: JobKind, method: 'PUT' | 'PATCH', contentType: string, body: JsonValue): Promise<Answer> {
    const { status, json } = await cluster.request(method, `${pathOf(kind)}?dryRun=All`, { contentType, body });
    expect([200, 403]).toContain(status);
    const causes = at(json, 'details', 'causes');
    const fields = Array.isArray(causes) ? causes.map((cause) => textOf(at(cause, 'field'))) : [];
    return { allowed: status === 200, fields };
  }

  /** Asks `check` of the same. */
  async function check(kind: JobKind, args: readonly string[], files: Record<string, JsonValue>): Promise<Answer> {
    const texts = Object.entries({ 'old.json': stored.get(kind) ?? {}, ...files }).map(([name, value]) => [
      name,
      JSON.stringify(value),
    ]);
    const around = { files: Object.fromEntries(texts) as Record<string, string> };
    const { stdout, problems } = await runCommand(checkCommand, ['old.json', ...args, '-o', 'json'], around);
    expect(problems).toEqual([]);
    const document = asMap(JSON.parse(stdout));
    const changes = ownValue(document, 'changes');
    const refused = (Array.isArray(changes) ? changes : []).filter(
      (change) => isMap(change) && change['permitted'] !== true,
    );
    const fields = refused.slice(0, MAX_CAUSES).map((change) => (isMap(change) ? textOf(change['field']) : ''));
    return { allowed: document['allowed'] === true, fields };
  }

  const rows = [TF_JOB, PYTORCH_JOB].flatMap((kind) =>
    Object.entries(EDITS).map(([what, edit]) => ({ what: `${kind.kind}: ${what}`, kind, edit })),
  );

  test.each(rows)('a merge patch and a JSON patch, $what', async ({ kind, edit }) => {
    const job = stored.get(kind) ?? {};
    const merge = edit(kind);
    const operations = createJsonPatch(job, edited(job, merge));
    const [mergeArgs, jsonArgs] = [
      ['--patch-file', 'patch.json'],
      ['--type', 'json', '--patch-file', 'patch.json'],
    ];
    expect({
      merge: await check(kind, mergeArgs, { 'patch.json': merge }),
      json: await check(kind, jsonArgs, { 'patch.json': operations }),
    }).toEqual({
      merge: await send(kind, 'PATCH', 'application/merge-patch+json', merge),
      json: await send(kind, 'PATCH', 'application/json-patch+json', operations),
    });
  });

  test.each(rows)('a replacement, $what', async ({ kind, edit }) => {
    const next = edited(withPorts(manifestOf(kind), kind), edit(kind));
    const resourceVersion = String(at(stored.get(kind), 'metadata', 'resourceVersion'));
    expect(await check(kind, ['new.json', '--replace'], { 'new.json': next })).toEqual(
      await send(kind, 'PUT', 'application/json', edited(next, { metadata: { resourceVersion } })),
    );
  });

  test.each(rows.filter(({ kind }) => kind === TF_JOB))('kubectl apply, $what', async ({ kind, edit }) => {
    const next = edited(withPorts(manifestOf(kind), kind), edit(kind));
    const { code, stderr } = await cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], {
      stdin: JSON.stringify(next),
    });
    const { allowed, fields } = await check(kind, ['new.json'], { 'new.json': next });
    expect({ allowed, unnamed: fields.filter((field) => !stderr.includes(field)) }).toEqual({
      allowed: code === 0,
      unnamed: [],
    });
  });

  test.each([TF_JOB, PYTORCH_JOB])('what rerun prints of a refused change of a $kind is a new job', async (kind) => {
    const { replicaSpecs, plural } = kind;
    const patch = JSON.stringify({ spec: { [replicaSpecs]: { Worker: { replicas: 3 } } } });
    const around = { files: { 'old.json': JSON.stringify(stored.get(kind)) } };
    const { stdout } = await runCommand(rerunCommand, ['old.json', '--patch', patch], around);
    expect(await cluster.kubectl(['create', '-f', '-'], { stdin: stdout })).toMatchObject({ code: 0 });

    const { json } = await cluster.request('GET', `/apis/kubeflow.org/v1/namespaces/default/${plural}/mnist-2`);
    expect(at(json, 'spec')).toEqual(edited(stored.get(kind) ?? {}, asMap(JSON.parse(patch)))['spec']);
    expect(at(json, 'metadata', 'labels')).toEqual({ team: 'vision', stage: 'trial' });
    expect(at(json, 'metadata', 'annotations')).toEqual({ note: 'a', 'jobguard.dev/rerun-of': 'mnist' });
  });
});
