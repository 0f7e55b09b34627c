import { stringify } from 'yaml';

import pytorchjob from '../../examples/jobs/pytorchjob.json' with { type: 'json' };
import tfjob from '../../examples/jobs/tfjob.json' with { type: 'json' };
import type { Question } from './judge.ts';

/** A question to begin with. */
export interface Example {
  readonly name: string;
  readonly question: Question;
}

const DEFAULT_POLICY = `apiVersion: jobguard/v1
kind: UpdatePolicy
contact: "ask in #ml-platform"
`;
const ALICE = { user: 'alice', groups: 'ml-team' };

function yaml(value: object): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}

const { apiVersion, kind, spec } = tfjob;
const { labels, name, namespace } = tfjob.metadata;
const { Ps, Worker } = spec.tfReplicaSpecs;
const [container] = Worker.template.spec.containers;

/** The manifest of the TFJob with more workers, an image of its own and a label. */
const LARGER_TFJOB = {
  apiVersion,
  kind,
  metadata: { labels: { ...labels, team: 'vision' }, name, namespace },
  spec: {
    ...spec,
    tfReplicaSpecs: {
      Ps,
      Worker: {
        ...Worker,
        replicas: 4,
        template: {
          spec: {
            ...Worker.template.spec,
            containers: [{ ...container, image: 'registry.example.com/vision/benchmarks:v2' }],
          },
        },
      },
    },
  },
};

const QUEUED_JOB = { ...pytorchjob, spec: { runPolicy: { suspend: true }, ...pytorchjob.spec } };
const STARTED_BY_KUEUE = {
  spec: {
    runPolicy: { suspend: false },
    pytorchReplicaSpecs: { Master: { template: { spec: { nodeSelector: { 'cloud.example.com/pool': 'a100' } } } } },
  },
};

const scale = (replicas: number): object => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name: pytorchjob.metadata.name, namespace: pytorchjob.metadata.namespace },
  spec: { replicas },
});

/** The questions that the page offers; it begins with the first. */
export const EXAMPLES: readonly [Example, ...Example[]] = [
  {
    name: 'TFJob: more workers, another image',
    question: { old: yaml(tfjob), new: yaml(LARGER_TFJOB), form: 'apply', policy: DEFAULT_POLICY, ...ALICE },
  },
  {
    name: 'PyTorchJob: a label and a deadline',
    question: {
      old: yaml(pytorchjob),
      new: yaml({ metadata: { labels: { team: 'vision' } }, spec: { activeDeadlineSeconds: 3600 } }),
      form: 'merge',
      policy: DEFAULT_POLICY,
      ...ALICE,
    },
  },
  {
    name: 'Kueue starts a job',
    question: {
      old: yaml(QUEUED_JOB),
      new: yaml(STARTED_BY_KUEUE),
      form: 'merge',
      policy: `${DEFAULT_POLICY}presets:\n  kueue: true\n`,
      user: 'system:serviceaccount:kueue-system:kueue-controller-manager',
      groups: '',
    },
  },
  {
    name: 'kubectl scale',
    question: { old: yaml(scale(1)), new: yaml(scale(4)), form: 'replace', policy: DEFAULT_POLICY, ...ALICE },
  },
  {
    name: 'A policy with typos',
    question: {
      old: yaml(tfjob),
      new: yaml({ spec: { runPolicy: { suspend: true } } }),
      form: 'merge',
      policy: `apiVersion: jobguard/v1
kind: UpdatePolicy
mode: enforced
allow:
  - /metadata/labels
  - /spec/runpolicy/suspend
exemtions: []
`,
      ...ALICE,
    },
  },
];
