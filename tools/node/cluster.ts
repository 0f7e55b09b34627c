import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachToCluster, startControlPlane, type ApiClient, type ControlPlane } from '../kubernetes/control-plane.ts';
import { writeKubeconfig } from '../kubernetes/kubeconfig.ts';
import { NODE_NAME, startNode, type Node } from './node.ts';

/** A Kubernetes that runs pods. */
export interface Cluster extends ApiClient {
  /** A file that needs no other. */
  readonly kubeconfig: string;
  /** The command that gives it the images of an archive, its last argument, that `docker save` wrote. */
  readonly loadCommand: readonly string[];
  /** Undefined where the cluster was there before. */
  readonly own?: OwnCluster;
  stop: () => Promise<void>;
}

/** What more there is of a cluster that was started here. */
export interface OwnCluster extends Pick<Node, 'isolatePods'> {
  /** How old the API server's certificate was at the start. */
  readonly certificateAgeMs: number;
}

const GENERATION = 'training-operator 1.9';
/** A day: nobody's API server is as young as one of a test. */
const CERTIFICATE_AGE_MS = 24 * 3_600_000;

/** A cluster that is there already, and how it is given images; `kind load image-archive` is such a command. */
interface GivenCluster {
  readonly kubeconfig: string;
  readonly loadCommand: readonly string[];
}

/**
 * Returns the cluster that the environment names, if it does: by `KUBECONFIG` and, lest tests run on a cluster that was not
 * meant for them, `LOAD_IMAGES`.
 */
export function givenCluster(): GivenCluster | undefined {
  const { KUBECONFIG: kubeconfig = '', LOAD_IMAGES: command = '' } = process.env;
  return kubeconfig === '' || command === '' ? undefined : { kubeconfig, loadCommand: command.split(' ') };
}

/** Takes the cluster that the environment names, else starts one of one node on this machine; that takes root. */
export async function openCluster(): Promise<Cluster> {
  const given = givenCluster();
  if (given === undefined) return startCluster();
  const client = await attachToCluster(GENERATION);
  return {
    ...given,
    kubectl: client.kubectl,
    request: client.request,
    stop: async () => client[Symbol.asyncDispose](),
  };
}

/** Starts a cluster of one node on this machine. */
export async function startCluster(): Promise<Cluster> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-cluster-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const node = await startNode();
  undo.defer(node.stop);
  const { apiServer, services } = node.addresses;
  const controlPlane = await startControlPlane(GENERATION, {
    listenAddress: apiServer,
    certificateAgeMs: CERTIFICATE_AGE_MS,
    apiServerFlags: {
      'advertise-address': apiServer,
      'service-cluster-ip-range': services,
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
  const { loadCommand, isolatePods } = node;
  const own = { isolatePods, certificateAgeMs: CERTIFICATE_AGE_MS };
  return { kubeconfig, kubectl, request, loadCommand, own, stop: () => running.disposeAsync() };
}

async function ready({ kubectl }: ControlPlane): Promise<void> {
  for (const condition of ['create', 'condition=Ready']) {
    const wait = ['wait', `--for=${condition}`, `node/${NODE_NAME}`, '--timeout=60s'];
    const { code, stderr } = await kubectl(wait, { timeoutMs: 90_000 });
    if (code !== 0) throw new Error(stderr);
  }
}
