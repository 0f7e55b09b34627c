import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { GO_ROOTS } from '../../src/core/go-types.ts';
import { NumberText, readTree, type Tree, writeTree } from './json-tree.ts';
import { type MutationKind, MUTATORS, pick } from './mutations.ts';

/** Updates grown from whole jobs by a few mutations, as the JSON text of an AdmissionReview. */
export interface Scenario {
  /** The job that both sides start from. */
  readonly job: JobName;
  readonly mutations: readonly Mutation[];
  readonly writer: Writer;
  readonly envelope: Envelope;
}

export interface Mutation {
  readonly side: 'old' | 'new' | 'both';
  readonly kind: MutationKind;
  /** Numbers that choose where and what. */
  readonly place: number;
  readonly choice: number;
}

type Writer = (typeof WRITERS)[number];
type Envelope = keyof typeof ENVELOPES;

/** Two objects of one resource, and the mutations that made a difference to them. */
export interface Update {
  readonly group: string;
  readonly resource: string;
  readonly before: Tree;
  readonly after: Tree;
  readonly applied: readonly MutationKind[];
}

const jobFile = (path: string): Tree => readTree(readFileSync(new URL(path, import.meta.url), 'utf8'));

/** The simplest first, so that this is where shrinking ends. */
const JOBS = {
  'small TFJob': { group: 'kubeflow.org', resource: 'tfjobs', tree: jobFile('../property/jobs/tfjob.json') },
  'known TFJob': { group: 'kubeflow.org', resource: 'tfjobs', tree: jobFile('../../examples/jobs/tfjob.json') },
  'known PyTorchJob': {
    group: 'kubeflow.org',
    resource: 'pytorchjobs',
    tree: jobFile('../../examples/jobs/pytorchjob.json'),
  },
  'rich PyTorchJob': {
    group: 'kubeflow.org',
    resource: 'pytorchjobs',
    tree: jobFile('../property/jobs/pytorchjob.json'),
  },
  MPIJob: { group: 'kubeflow.org', resource: 'mpijobs', tree: jobFile('../property/jobs/mpijob.json') },
  PaddleJob: { group: 'kubeflow.org', resource: 'paddlejobs', tree: jobFile('../property/jobs/paddlejob.json') },
  JAXJob: { group: 'kubeflow.org', resource: 'jaxjobs', tree: jobFile('../property/jobs/jaxjob.json') },
  XGBoostJob: { group: 'kubeflow.org', resource: 'xgboostjobs', tree: jobFile('../property/jobs/xgboostjob.json') },
  TrainJob: { group: 'example.org', resource: 'trainjobs', tree: jobFile('../property/jobs/trainjob.json') },
} as const;

/** A job's name; of the jobs, the TFJobs and PyTorchJobs are guarded by default, and the TrainJob is no Go type's. */
export type JobName = keyof typeof JOBS;

const WRITERS = [
  { username: 'jane', groups: ['system:authenticated'] },
  { username: 'john', groups: ['system:authenticated', 'platform:admins'] },
  { username: 'system:serviceaccount:kube-system:generic-garbage-collector', groups: ['system:serviceaccounts'] },
  { username: 'system:kube-controller-manager', groups: [] },
  { username: 'system:serviceaccount:kueue-system:kueue-controller-manager', groups: [] },
  { username: 'system:serviceaccount:kube-system:horizontal-pod-autoscaler', groups: [] },
  { username: 'system:serviceaccount:flyte:flytepropeller', groups: [] },
  { username: 'system:serviceaccount:flyte:flytepropeller:', groups: [] },
] as const;

/** What the request is about; most are plain updates. */
const ENVELOPES = {
  update: { operation: 'UPDATE', subResource: undefined },
  scale: { operation: 'UPDATE', subResource: 'scale' },
  status: { operation: 'UPDATE', subResource: 'status' },
  exec: { operation: 'UPDATE', subResource: 'exec' },
  creation: { operation: 'CREATE', subResource: undefined },
} as const;

const SCALE_REPLICAS = [
  new NumberText('2'),
  new NumberText('3'),
  new NumberText('2.0'),
  new NumberText('20e-1'),
  new NumberText('0'),
  new NumberText('-0'),
  undefined,
  null,
  new NumberText('9007199254740992'),
  new NumberText('9007199254740993'),
];

/** Mutations that mostly leave a job what it is, so that enough pairs are no change. */
const HARMLESS: readonly MutationKind[] = [
  'number respelled',
  'quantity respelled',
  'zero field',
  'round trip',
  'allowed field',
  'label',
  'server-owned',
  'deletion timestamp',
];
const OWNERSHIP: readonly MutationKind[] = ['owner', 'owner', 'deletion timestamp', 'label', 'round trip'];
const SUSPENSION: readonly MutationKind[] = [
  'suspension',
  'run policy',
  'scheduling',
  'pod metadata',
  'label',
  'quantity respelled',
];
const ANY: readonly MutationKind[] = Object.keys(MUTATORS).filter((kind): kind is MutationKind => kind in MUTATORS);

/** Makes up scenarios that start from the given jobs. */
export function scenarios(jobs: readonly JobName[]): fc.Arbitrary<Scenario> {
  const job = fc.constantFrom(...jobs);
  const envelope = fc.oneof(
    { weight: 40, arbitrary: fc.constant<Envelope>('update') },
    { weight: 4, arbitrary: fc.constant<Envelope>('scale') },
    { weight: 1, arbitrary: fc.constantFrom<Envelope>('status', 'exec', 'creation') },
  );
  const grown = (kinds: readonly MutationKind[], writer: fc.Arbitrary<Writer>): fc.Arbitrary<Scenario> =>
    fc.record({ job, mutations: fc.array(mutation(kinds), { maxLength: 6 }), writer, envelope });
  return fc.oneof(
    { weight: 5, arbitrary: grown(ANY, fc.constantFrom(...WRITERS)) },
    { weight: 2, arbitrary: grown(HARMLESS, fc.constant(WRITERS[0])) },
    { weight: 1, arbitrary: grown(OWNERSHIP, fc.constantFrom(...WRITERS)) },
    { weight: 1, arbitrary: grown(SUSPENSION, fc.constantFrom(...WRITERS)) },
  );
}

function mutation(kinds: readonly MutationKind[]): fc.Arbitrary<Mutation> {
  return fc.record({
    side: fc.constantFrom('new', 'old', 'both'),
    kind: fc.constantFrom(...kinds),
    place: fc.nat(9_999),
    choice: fc.nat(9_999),
  });
}

/** Applies a scenario's mutations to its job. For a scale, the mutations' numbers choose the replicas. */
export function grow(scenario: Scenario): Update {
  const { group, resource, tree } = JOBS[scenario.job];
  if (scenario.envelope === 'scale') {
    const [first, second] = scenario.mutations;
    return { group, resource, before: scale(first?.choice ?? 0), after: scale(second?.choice ?? 0), applied: [] };
  }
  const type = GO_ROOTS[`${resource}.${group}`];
  let sides = { old: tree, new: tree };
  const applied: MutationKind[] = [];
  // Secrets last: a number that a renamed key takes out of `env` is none any more, and may be shown.
  const secretsLast = scenario.mutations.toSorted((a, b) => Number(a.kind === 'secret') - Number(b.kind === 'secret'));
  for (const { side, kind, place, choice } of secretsLast) {
    const mutate = (job: Tree): Tree => MUTATORS[kind]({ tree: job, type }, place, choice);
    const before = sides;
    sides = {
      old: side === 'new' ? sides.old : mutate(sides.old),
      new: side === 'old' ? sides.new : mutate(sides.new),
    };
    if (sides.old !== before.old || sides.new !== before.new) applied.push(kind);
  }
  return { group, resource, before: sides.old, after: sides.new, applied };
}

function scale(choice: number): Tree {
  const replicas = pick<Tree | undefined>(SCALE_REPLICAS, choice);
  return new Map(replicas === undefined ? [] : [['spec', new Map([['replicas', replicas]])]]);
}

/** Writes the AdmissionReview of an update. */
export function reviewText(scenario: Scenario, { group, resource, before, after }: Update): string {
  const { operation, subResource } = ENVELOPES[scenario.envelope];
  const envelope = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group, version: 'v1', kind: 'Job' },
    resource: { group, version: 'v1', resource },
    subResource,
    name: 'mnist',
    namespace: 'research',
    operation,
    userInfo: scenario.writer,
    dryRun: false,
  };
  const request = `${JSON.stringify(envelope).slice(0, -1)},"object":${writeTree(after)},"oldObject":${writeTree(before)}}`;
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${request}}`;
}
