import { ClusterError, connect, type Cluster } from '../../kube/cluster.ts';
import { UsageError } from '../usage-error.ts';
import type { ClusterFlags } from './cluster-flags.ts';

/**
 * Does what needs the cluster of the kubeconfig.
 *
 * @throws UsageError where the cluster cannot be asked, or refuses what is asked
 */
export async function inCluster<T>(flags: ClusterFlags, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  try {
    return await work(await connect({ file: flags.kubeconfig, context: flags.context }, flags));
  } catch (error) {
    throw error instanceof ClusterError ? new UsageError([error.message]) : error;
  }
}
