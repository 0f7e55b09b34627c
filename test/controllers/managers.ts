import type { GoTool } from '../../tools/go/tool.ts';

/** Another project's controllers, as its own manifests run them. */
export interface Manager {
  readonly program: GoTool & { readonly module: string };
  /** As whom it writes. */
  readonly username: string;
  /** Folder of its CustomResourceDefinitions, in its module. */
  readonly crds: string;
  /** File of its webhooks, in its module. */
  readonly webhooks: string;
  /** What its configuration file says. */
  readonly configuration: (place: Place) => object;
}

/** Where a manager listens on this machine, and the folder with its `tls.crt` and `tls.key`. */
export interface Place {
  readonly ports: Readonly<Record<'webhook' | 'health' | 'metrics', number>>;
  readonly certificates: string;
}

function goProgram(name: string, module: string, version: string, folder: string): Manager['program'] {
  const override = name.toUpperCase();
  return { name, module, version, package: folder === '' ? module : `${module}/${folder}`, override };
}

/** What the three configuration files have in common; certificates are handed in. */
function common({ webhook, health, metrics }: Place['ports']): object {
  return {
    health: { healthProbeBindAddress: `127.0.0.1:${health}` },
    metrics: { bindAddress: `127.0.0.1:${metrics}` },
    webhook: { host: '127.0.0.1', port: webhook },
    leaderElection: { leaderElect: false },
  };
}

/** Source: sigs.k8s.io/kueue v0.19.2 config/components. Kubeflow's v1 kinds are no longer among its default frameworks. */
export const KUEUE: Manager = {
  program: goProgram('kueue', 'sigs.k8s.io/kueue', 'v0.19.2', 'cmd/kueue'),
  username: 'system:serviceaccount:kueue-system:kueue-controller-manager',
  crds: 'config/components/crd/bases',
  webhooks: 'config/components/webhook/manifests.yaml',
  configuration: ({ ports, certificates }) => ({
    ...common(ports),
    apiVersion: 'config.kueue.x-k8s.io/v1beta2',
    kind: 'Configuration',
    // Elsewhere Kueue looks in /tmp, whatever TMPDIR says.
    webhook: { host: '127.0.0.1', port: ports.webhook, certDir: certificates },
    internalCertManagement: { enable: false },
    // An API server of its own, on a fixed port.
    featureGates: { VisibilityOnDemand: false },
    integrations: {
      frameworks: [
        ...['batch/job', 'jobset.x-k8s.io/jobset', 'trainer.kubeflow.org/trainjob'],
        ...['kubeflow.org/tfjob', 'kubeflow.org/pytorchjob'],
      ],
    },
  }),
};

/** Source: sigs.k8s.io/jobset v0.12.0 config/components. */
export const JOBSET: Manager = {
  program: goProgram('jobset', 'sigs.k8s.io/jobset', 'v0.12.0', ''),
  username: 'system:serviceaccount:jobset-system:jobset-controller-manager',
  crds: 'config/components/crd/bases',
  webhooks: 'config/components/webhook/manifests.yaml',
  configuration: ({ ports }) => ({
    ...common(ports),
    apiVersion: 'config.jobset.x-k8s.io/v1alpha1',
    kind: 'Configuration',
    internalCertManagement: { enable: false },
  }),
};

/** Source: github.com/kubeflow/trainer v2.3.0 manifests/base. */
export const TRAINER: Manager = {
  program: goProgram('trainer', 'github.com/kubeflow/trainer/v2', 'v2.3.0', 'cmd/trainer-controller-manager'),
  username: 'system:serviceaccount:kubeflow-system:kubeflow-trainer-controller-manager',
  crds: 'manifests/base/crds',
  webhooks: 'manifests/base/webhook/manifests.yaml',
  configuration: ({ ports }) => ({
    ...common(ports),
    apiVersion: 'config.trainer.kubeflow.org/v1alpha1',
    kind: 'Configuration',
    certManagement: { enable: false },
  }),
};

export const MANAGERS: readonly Manager[] = [KUEUE, JOBSET, TRAINER];
