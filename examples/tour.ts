/** One command to paste, and what comes of it. */
export interface Step {
  readonly title: string;
  readonly command: string;
  /** What it prints; `…` stands for anything. */
  readonly prints: string;
}

const DENIED = 'Error from server (Forbidden): … denied the request:';

/** What the demo shows, in this order: later steps build on earlier ones. */
export const TOUR: readonly Step[] = [
  {
    title: 'A label may change. The API server does not even ask jobguard.',
    command: 'kubectl label tfjob mnist stage=eval',
    prints: 'tfjob.kubeflow.org/mnist labeled',
  },
  {
    title: 'So may ttlSecondsAfterFinished, activeDeadlineSeconds and cleanPodPolicy.',
    command: `kubectl patch tfjob mnist --type merge -p '{"spec":{"runPolicy":{"ttlSecondsAfterFinished":3600}}}'`,
    prints: 'tfjob.kubeflow.org/mnist patched',
  },
  {
    title: 'The number of workers may not. The denial says what was refused, what may change, and what to do.',
    command: `kubectl patch tfjob mnist --type merge -p '{"spec":{"tfReplicaSpecs":{"Worker":{"replicas":4}}}}'`,
    prints: `${DENIED} tfjobs.kubeflow.org "mnist" may not be updated: spec.tfReplicaSpecs[Worker].replicas (1 → 4); …`,
  },
  {
    title: 'kubectl scale is no way round.',
    command: 'kubectl scale pytorchjob bert --replicas 4',
    prints: `${DENIED} … spec.pytorchReplicaSpecs[Worker].replicas (1 → 4); …`,
  },
  {
    title: 'Ask before you send: changed.yaml has another label and another image.',
    command: 'kubectl get tfjob mnist -o yaml | kubectl jobguard check - changed.yaml',
    prints: 'Denied: … permitted metadata.labels[team] (changed) refused spec.tfReplicaSpecs[Worker]…image …',
  },
  {
    title: 'The API server gives the same answer.',
    command: 'kubectl apply -f changed.yaml',
    prints: `Error from server (Forbidden): … denied the request: … image (registry.example.com/vision/mnist:v1 → registry.example.com/vision/mnist:v2); …`,
  },
  {
    title: 'To run it differently, create a new job. This makes one of the change that was refused.',
    command: 'kubectl get tfjob mnist -o yaml | kubectl jobguard rerun - changed.yaml | kubectl create -f -',
    prints: 'tfjob.kubeflow.org/mnist-2 created',
  },
  {
    title: 'Deletion always works, whatever the cascade.',
    command: 'kubectl delete tfjob mnist --cascade=foreground',
    prints: 'tfjob.kubeflow.org "mnist" deleted…',
  },
];

/** Writes the tour as people read it. */
export function tourText(steps: readonly Step[]): string {
  return steps
    .map(({ title, command, prints }, index) => `${index + 1}. ${title}\n\n     ${command}\n\n   prints: ${prints}\n`)
    .join('\n');
}
