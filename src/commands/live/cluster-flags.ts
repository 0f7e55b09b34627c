import type { Impersonation } from '../../kube/cluster.ts';

/** The flags that say which cluster is meant, and who asks it, as with kubectl. */
export interface ClusterFlags extends Impersonation {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}
