import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';
import { writeKubeconfig } from '../support/kubeconfig.ts';
import { API_SERVER_ADDRESS, NODE_NAME, SERVICES, startNode } from './node.ts';

/** A Kubernetes that runs pods. */
export interface Cluster extends Pick<ControlPlane, 'kubectl' | 'request' | 'stop'> {
  /** A file that needs no other. */
  readonly kubeconfig: string;
  /** Gives the node the images of an archive that `docker save` wrote. */
  loadImages: (archive: string) => Promise<void>;
}

/** Starts a cluster of one node on this machine, which takes root and the packages that `packages.ts` names. */
export async function startCluster(): Promise<Cluster> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-cluster-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const node = await startNode();
  undo.defer(node.stop);
  const controlPlane = await startControlPlane('training-operator 1.9', {
    listenAddress: API_SERVER_ADDRESS,
    apiServerFlags: {
      'advertise-address': API_SERVER_ADDRESS,
      'service-cluster-ip-range': SERVICES,
      'disable-admission-plugins': null,
      'kubelet-preferred-address-types': 'InternalIP',
    },
  });
  undo.defer(controlPlane.stop);
  await controlPlane.startControllerManager('*,-node-ipam-controller,-cloud-node-lifecycle-controller');
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(controlPlane, kubeconfig);
  await node.join(kubeconfig);
  await ready(controlPlane).catch((error: unknown) => {
    throw new Error(node.log(), { cause: error });
  });
  const running = undo.move();
  const { kubectl, request } = controlPlane;
  return { kubeconfig, kubectl, request, loadImages: node.loadImages, stop: () => running.disposeAsync() };
}

async function ready({ kubectl }: ControlPlane): Promise<void> {
  for (const wait of [
    ['create', `node/${NODE_NAME}`],
    ['condition=Ready', `node/${NODE_NAME}`],
  ] as const) {
    const [condition, object] = wait;
    const { code, stderr } = await kubectl(['wait', `--for=${condition}`, object, '--timeout=60s'], {
      timeoutMs: 90_000,
    });
    if (code !== 0) throw new Error(stderr);
  }
}
