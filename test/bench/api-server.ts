import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { objectOf, renderObjects } from '../../tools/helm.ts';
import { withValue, without } from '../support/job.ts';
import { celRule, celRunPolicy } from './cel-rule.ts';
import type { Serving, Site } from './contender.ts';
import { startFloor } from './contenders/floor.ts';
import { startJobguard } from './contenders/jobguard.ts';
import { jobFor } from './reviews.ts';
import { rotated } from './rotated.ts';

/** What guards the jobs of a namespace; `floor` is a bare server that is registered as jobguard is. */
export const GUARDS = ['none', 'policy', 'floor', 'jobguard'] as const;
/** What everybody may change, and about which the API server does not ask jobguard. */
export const ALLOWED_CHANGES = [
  'label',
  'annotation',
  'activeDeadlineSeconds',
  'ttlSecondsAfterFinished',
  'cleanPodPolicy',
] as const;
/**
 * What is changed: `status` is what an operator writes, and `asked` is allowed with a warning, so that the API server has to
 * ask.
 */
export const CHANGES = [...ALLOWED_CHANGES, 'status', 'asked', 'refused'] as const;

export type Guard = (typeof GUARDS)[number];
export type Change = (typeof CHANGES)[number];

/** The merge patch of a round, other than the one before. */
const PATCHES: Readonly<Record<Change, (round: number) => object>> = {
  label: (round) => ({ metadata: { labels: { stage: `round-${round}` } } }),
  annotation: (round) => ({ metadata: { annotations: { note: `round ${round}` } } }),
  activeDeadlineSeconds: (round) => runPolicy({ activeDeadlineSeconds: 10_000 + round }),
  ttlSecondsAfterFinished: (round) => runPolicy({ ttlSecondsAfterFinished: 10_000 + round }),
  cleanPodPolicy: (round) => runPolicy({ cleanPodPolicy: round % 2 === 0 ? 'All' : 'Running' }),
  status: (round) => ({ status: { replicaStatuses: { Worker: { active: round } } } }),
  asked: (round) => runPolicy({ ttlSecondsAfterFinished: -1 - round }),
  refused: (round) => ({ spec: { tfReplicaSpecs: { Worker: { replicas: 3 + round } } } }),
};

function runPolicy(fields: object): object {
  return { spec: { runPolicy: fields } };
}

/** How long each PATCH took, in milliseconds, in the order in which they were sent: equal places belong to one round. */
export type PatchTimes = Readonly<Record<Change, Readonly<Record<Guard, readonly number[]>>>>;

/** How long batches of a day's mixture of PATCHes took, in milliseconds, and how many of them jobguard was asked about. */
export interface Mixture {
  readonly batchesMs: Readonly<Record<Guard, readonly number[]>>;
  readonly sent: number;
  readonly reached: number;
}

export interface Patches {
  readonly times: PatchTimes;
  readonly mixture: Mixture;
}

/** How many PATCHes of each kind a batch has: 90 % of an operator, 8 % of people who may, 2 % of people who may not. */
export const BATCH: readonly (readonly [Change, number])[] = [
  ['status', 45],
  ['label', 2],
  ['activeDeadlineSeconds', 2],
  ['refused', 1],
];

/** The job that is patched, as a review of it would be 16 kB. */
const REVIEW_BYTES = 16_000;
const WARM_UP_ROUNDS = 50;
/** Above any round's number: what a probe changes before its guard is in force, no round changes to. */
const PROBES_FROM = 1_000_000;

/**
 * Measures what a PATCH of a job takes at a real API server: with nothing, with a ValidatingAdmissionPolicy of the same rule,
 * and with jobguard, and the floor, as the chart registers it. Each has a namespace of its own; a round patches in all.
 */
export async function measurePatches(
  site: Site,
  { rounds, batches }: { readonly rounds: number; readonly batches: number },
): Promise<Patches> {
  await using undo = new AsyncDisposableStack();
  const cluster = await startControlPlane('training-operator 1.9');
  undo.defer(cluster.stop);
  const jobguard = await startJobguard(site);
  undo.defer(jobguard.stop);
  const floor = await startFloor(site);
  undo.defer(floor.stop);
  for (const guard of GUARDS) await createJob(cluster, guard);
  await registerPolicy(cluster);
  await registerWebhook(cluster, 'floor', floor, site.ca);
  await registerWebhook(cluster, 'jobguard', jobguard, site.ca);
  for (const guard of GUARDS) if (guard !== 'none') await refusing(cluster, guard);

  await patchInTurn(cluster, WARM_UP_ROUNDS);
  const times = await patchInTurn(cluster, rounds);
  const before = await requestsOf(jobguard.metricsPort);
  const batchesMs = await patchInBatches(cluster, { first: rounds, batches });
  const reached = (await requestsOf(jobguard.metricsPort)) - before;
  return { times, mixture: { batchesMs, sent: batches * BATCH_SIZE, reached } };
}

const CHANGES_OF_BATCH = BATCH.flatMap(([change, count]) => Array.from({ length: count }, () => change));
const BATCH_SIZE = CHANGES_OF_BATCH.length;

/** Sends the batches, each to every guard in turn; `first` is a number that no round had yet. */
async function patchInBatches(
  cluster: ControlPlane,
  { first, batches }: { readonly first: number; readonly batches: number },
): Promise<Mixture['batchesMs']> {
  const times = noTimes();
  for (let batch = 0; batch < batches; batch += 1) {
    for (const guard of rotated(GUARDS, batch)) {
      let ms = 0;
      for (const [index, change] of CHANGES_OF_BATCH.entries()) {
        ms += await patch(cluster, guard, change, first + batch * BATCH_SIZE + index);
      }
      times[guard].push(ms);
    }
  }
  return times;
}

/** Returns how many reviews jobguard has answered. */
async function requestsOf(metricsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const series = text.matchAll(/^jobguard_admission_requests_total\{.*\} (\d+)$/gm);
  return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
}

function noTimes(): Record<Guard, number[]> {
  return { none: [], policy: [], floor: [], jobguard: [] };
}

async function patchInTurn(cluster: ControlPlane, rounds: number): Promise<PatchTimes> {
  const times = {
    label: noTimes(),
    annotation: noTimes(),
    activeDeadlineSeconds: noTimes(),
    ttlSecondsAfterFinished: noTimes(),
    cleanPodPolicy: noTimes(),
    status: noTimes(),
    asked: noTimes(),
    refused: noTimes(),
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const change of CHANGES) {
      for (const guard of rotated(GUARDS, round)) times[change][guard].push(await patch(cluster, guard, change, round));
    }
  }
  return times;
}

/** Patches a job and returns how long that took. */
async function patch(cluster: ControlPlane, guard: Guard, change: Change, round: number): Promise<number> {
  const contentType = 'application/merge-patch+json';
  const body = PATCHES[change](round);
  const start = performance.now();
  const path = `${jobsIn(guard)}/mnist${change === 'status' ? '/status' : ''}`;
  const { status, text } = await cluster.request('PATCH', path, { contentType, body });
  const ms = performance.now() - start;
  const isRefused = status === 403 || status === 422;
  if (isRefused !== (change === 'refused' && guard !== 'none')) throw new Error(`${guard}, ${change}: ${text}`);
  return ms;
}

function jobsIn(guard: Guard): string {
  return `/apis/kubeflow.org/v1/namespaces/${guard}/tfjobs`;
}

async function createJob(cluster: ControlPlane, guard: Guard): Promise<void> {
  await post(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: guard } });
  const owned = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields'];
  const job = owned.reduce((object, field) => without(object, `/metadata/${field}`), jobFor(REVIEW_BYTES));
  await post(cluster, jobsIn(guard), withValue(job, '/metadata/namespace', guard));
}

async function post(cluster: ControlPlane, path: string, body: unknown): Promise<void> {
  const { status, text } = await cluster.request('POST', path, { body });
  if (status !== 201) throw new Error(`POST ${path}: ${text}`);
}

/** Waits until a change that no round makes is refused. */
async function refusing(cluster: ControlPlane, guard: Guard): Promise<void> {
  let attempt = PROBES_FROM;
  await eventually(`${guard} to be in force`, () => {
    attempt += 2;
    return patch(cluster, guard, 'refused', attempt).catch(() => undefined);
  });
}

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

function namespaceSelector(guard: Guard): object {
  return { matchLabels: { 'kubernetes.io/metadata.name': guard } };
}

/** Registers a webhook by what the chart renders; only the address is this machine's, and the namespaces are narrowed. */
async function registerWebhook(cluster: ControlPlane, guard: Guard, { port }: Serving, ca: string): Promise<void> {
  const configuration = objectOf(await renderObjects(), 'ValidatingWebhookConfiguration');
  const webhooks: unknown = configuration['webhooks'];
  if (!Array.isArray(webhooks)) throw new Error('The chart renders no webhooks');
  const clientConfig = { url: `https://127.0.0.1:${port}/validate`, caBundle: Buffer.from(ca).toString('base64') };
  const here = webhooks.map((webhook: object) => ({
    ...webhook,
    clientConfig,
    namespaceSelector: namespaceSelector(guard),
  }));
  await post(cluster, `${ADMISSION}/validatingwebhookconfigurations`, {
    ...configuration,
    metadata: { name: `bench.${guard}` },
    webhooks: here,
  });
}

const RULE = celRule({
  object: 'object',
  oldObject: 'oldObject',
  runPolicy: 'variables.runPolicy',
  oldRunPolicy: 'variables.oldRunPolicy',
});

async function registerPolicy(cluster: ControlPlane): Promise<void> {
  const resourceRules = [
    { apiGroups: ['kubeflow.org'], apiVersions: ['*'], operations: ['UPDATE'], resources: ['tfjobs'] },
  ];
  await post(cluster, `${ADMISSION}/validatingadmissionpolicies`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'five-fields' },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules },
      variables: [
        { name: 'runPolicy', expression: celRunPolicy('object') },
        { name: 'oldRunPolicy', expression: celRunPolicy('oldObject') },
      ],
      validations: [{ expression: RULE, message: 'only five fields may change', reason: 'Forbidden' }],
    },
  });
  await post(cluster, `${ADMISSION}/validatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'five-fields' },
    spec: {
      policyName: 'five-fields',
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: namespaceSelector('policy') },
    },
  });
}
