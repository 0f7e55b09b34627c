import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Finished, type Running } from '../child-process.ts';
import { eventually } from '../eventually.ts';
import { nodeBinaries } from '../kubernetes/binaries.ts';
import { freeAddresses, type Addresses } from './addresses.ts';
import { writeIdleArchive } from './idle-image.ts';
import { loadImages } from './load-images.ts';
import { networkPlugins, whyNoNode } from './packages.ts';
import { openSandbox, type Sandbox } from './sandbox.ts';

export const NODE_NAME = 'node';
/** What the names of its folders begin with. */
export const FOLDER = 'jobguard-node-';
/** The machine's end of the cable. */
export const CABLE = 'jobguard0';

/** A machine for one node, with its container runtime but not yet in a cluster. */
export interface Node {
  readonly addresses: Addresses;
  /** Starts what makes it a node of the cluster that a kubeconfig names. */
  join: (kubeconfig: string) => Promise<void>;
  /** The command that gives its container runtime the images of an archive, its last argument, that `docker save` wrote. */
  readonly loadCommand: readonly string[];
  /** Lets no pod, or none that has one of these addresses, connect to the API server until what it returns is disposed of. */
  isolatePods: (addresses?: readonly string[]) => Promise<AsyncDisposable>;
  /** Returns the last lines of what its programs wrote. */
  log: () => string;
  stop: () => Promise<void>;
}

/**
 * Opens a sandbox with a container runtime in it, and a cable to it: from here the addresses of the cluster's Services
 * and pods lead there, as long as it lives.
 */
export async function startNode(): Promise<Node> {
  const problem = whyNoNode();
  if (problem !== undefined) throw new Error(`This machine can hold no node: ${problem}`);
  const addresses = await freeAddresses();
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), FOLDER));
  undo.defer(() => rm(folder, { recursive: true }));
  undo.defer(removeCgroups);
  const sandbox = await openSandbox();
  undo.defer(sandbox.stop);

  await succeeding(sandbox.run(machine(folder)));
  undo.use(await layCable(sandbox, addresses));
  await writeConfiguration(folder, addresses);
  const programs = new Map<string, Running>();
  const started = (name: string, program: Running): Running => {
    programs.set(name, program);
    return program;
  };
  started('containerd', sandbox.start('containerd', ['--config', join(folder, 'containerd.toml')]));
  const log = (): string => [...programs].map(([name, { output }]) => `${name}:\n${output().slice(-4000)}`).join('\n');
  await eventually('containerd', async () => {
    const { code } = await sandbox.run('ctr version');
    return code === 0 ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(log(), { cause: error });
  });
  const loadCommand = [...sandbox.enter, 'ctr', '--namespace', 'k8s.io', 'images', 'import'];
  await loadPauseImage(folder, loadCommand);

  const running = undo.move();
  return {
    addresses,
    loadCommand,
    isolatePods: (pods = [addresses.pods]) => isolate(sandbox, pods, addresses.apiServer),
    log,
    join: async (kubeconfig) => {
      for (const [name, program] of await nodePrograms(folder, kubeconfig, addresses)) {
        started(name, sandbox.start(...program));
      }
    },
    stop: () => running.disposeAsync(),
  };
}

/** Lets none of these pods connect to an address until what it returns is disposed of. */
async function isolate(sandbox: Sandbox, pods: readonly string[], from: string): Promise<AsyncDisposable> {
  // Only what opens a connection: answers to the API server's calls go the same way.
  const rule = `FORWARD --source ${pods.join(',')} --destination ${from} --protocol tcp --syn --jump DROP`;
  await succeeding(sandbox.run(`iptables --insert ${rule}`));
  const isolated = new AsyncDisposableStack();
  isolated.defer(() => succeeding(sandbox.run(`iptables --delete ${rule}`)));
  return isolated;
}

const PAUSE_IMAGE = 'docker.io/jobguard-test/pause:1';

async function loadPauseImage(folder: string, loadCommand: readonly string[]): Promise<void> {
  const archive = join(folder, 'pause.tar');
  await writeIdleArchive(archive, PAUSE_IMAGE);
  await loadImages(loadCommand, archive);
}

type Program = Parameters<Sandbox['start']>;

async function nodePrograms(
  folder: string,
  kubeconfig: string,
  { node, pods }: Addresses,
): Promise<[string, Program][]> {
  const binaries = await nodeBinaries();
  const flags = {
    'kube-scheduler': [
      ...['--kubeconfig', kubeconfig, '--authentication-kubeconfig', kubeconfig],
      ...['--authorization-kubeconfig', kubeconfig, '--leader-elect=false', '--secure-port=0'],
    ],
    kubelet: [
      ...['--kubeconfig', kubeconfig, '--config', join(folder, 'kubelet.json')],
      ...['--hostname-override', NODE_NAME, '--node-ip', node],
    ],
    'kube-proxy': [
      ...['--kubeconfig', kubeconfig, '--hostname-override', NODE_NAME],
      ...['--proxy-mode=iptables', '--cluster-cidr', pods],
      // The limits of connection tracking are the machine's, not the sandbox's.
      ...['--conntrack-max-per-core=0', '--conntrack-tcp-timeout-established=0'],
      '--conntrack-tcp-timeout-close-wait=0',
    ],
  };
  return Object.entries(flags).map(([name, args]) => [name, [join(binaries, name), args]]);
}

/** The group, below each hierarchy of cgroups, of everything that the kubelet starts. */
export const CGROUP = 'jobguard';
const CGROUPS = '/sys/fs/cgroup';

/** Returns where the group is, once for each hierarchy: version 2 of cgroups has but one. */
export function cgroups(): string[] {
  const isUnified = existsSync(join(CGROUPS, 'cgroup.controllers'));
  const hierarchies = isUnified ? ['.'] : readdirSync(CGROUPS);
  return hierarchies.map((hierarchy) => join(CGROUPS, hierarchy, CGROUP));
}

/** What the kubelet wants of the kernel. It is shown these values, so that it does not set the machine's. */
const KERNEL_TUNABLES = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};

/** Makes a machine of its own of the sandbox: folders, kernel settings and network of its own. */
function machine(folder: string): string {
  const ownFolders = ['/var/lib', '/var/log'].map((place) => {
    const own = join(folder, place);
    return `mkdir -p ${own}; mount --bind ${own} ${place}`;
  });
  const tunables = Object.entries(KERNEL_TUNABLES).map(([name, value]) => {
    const file = join(folder, name.replaceAll('/', '.'));
    return `echo ${value} > ${file}; mount --bind ${file} /proc/sys/${name}`;
  });
  return [
    'mount -t tmpfs tmpfs /run',
    ...ownFolders,
    ...tunables,
    'ip link set lo up',
    // Without it, where it is a module, packets within the bridge would pass kube-proxy by.
    'modprobe --quiet br_netfilter || true',
    'sysctl -q -w net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1',
    ...cgroups().map((group) => `mkdir -p ${group}`),
  ].join('\n');
}

/** Connects the machine and the sandbox until what it returns is disposed of, whichever of its steps fails. */
async function layCable(sandbox: Sandbox, addresses: Addresses): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  // The routes through a link go with it, and so does its other end.
  undo.defer(async () => {
    await run('ip', ['link', 'delete', CABLE]);
  });
  await succeeding(run('sh', ['-ec', cable(sandbox.pid, addresses)]));
  await succeeding(sandbox.run(cableEnd(addresses)));
  return undo.move();
}

function cable(pid: number, { apiServer, node, services, pods }: Addresses): string {
  return `
    ip link add ${CABLE} type veth peer name eth0 netns ${pid}
    ip address add ${apiServer} peer ${node} dev ${CABLE}
    ip link set ${CABLE} up
    ip route add ${services} via ${node} dev ${CABLE}
    ip route add ${pods} via ${node} dev ${CABLE}`;
}

function cableEnd({ apiServer, node, services }: Addresses): string {
  return `
    ip address add ${node} peer ${apiServer} dev eth0
    ip link set eth0 up
    ip route add ${services} via ${apiServer}`;
}

async function writeConfiguration(folder: string, { pods }: Addresses): Promise<void> {
  const network = {
    cniVersion: '0.4.0',
    name: 'jobguard',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: { type: 'host-local', ranges: [[{ subnet: pods }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
    ],
  };
  await mkdir(join(folder, 'cni'));
  await writeFile(join(folder, 'cni/10-bridge.conflist'), JSON.stringify(network));
  await writeFile(join(folder, 'kubelet.json'), JSON.stringify(KUBELET_CONFIGURATION));
  await writeFile(
    join(folder, 'containerd.toml'),
    `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Where the machine is a container itself, lower scores than its own are refused.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${networkPlugins()}"
    conf_dir = "${folder}/cni"
`,
  );
}

const KUBELET_CONFIGURATION = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  failCgroupV1: false,
  failSwapOn: false,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${CGROUP}`,
  enforceNodeAllocatable: [],
  protectKernelDefaults: true,
  // Nobody but this machine reaches the sandbox.
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  // How full the machine's disk is does not matter here.
  evictionHard: { 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%' },
  imageGCHighThresholdPercent: 100,
  // A changed Secret reaches the pods within this time, rather than within a minute.
  syncFrequency: '5s',
  resolvConf: '',
  volumePluginDir: '/var/lib/kubelet/volume-plugins',
};

/** Removes the empty groups that the kubelet leaves. */
async function removeCgroups(): Promise<void> {
  for (const group of cgroups()) await removeFolders(group);
}

async function removeFolders(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((each) => each.isDirectory())) await removeFolders(join(folder, entry.name));
  await eventually(`${folder} to be empty`, () =>
    rmdir(folder).then(
      () => true,
      (error: unknown) => (isMissing(error) ? true : undefined),
    ),
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function succeeding(finished: Promise<Finished>): Promise<void> {
  const { code, stdout, stderr } = await finished;
  if (code !== 0) throw new Error(`The node cannot be set up: ${stdout}${stderr}`);
}
