import { existsSync } from 'node:fs';
import { run } from '../support/child-process.ts';

/** What a node takes beside Kubernetes itself, and the Debian packages that have it. */
const PACKAGES = [
  { files: ['/usr/bin/containerd', '/usr/local/bin/containerd'], name: 'containerd' },
  { files: ['/usr/sbin/runc', '/usr/bin/runc', '/usr/local/sbin/runc'], name: 'runc' },
  { files: ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'], name: 'containernetworking-plugins' },
  { files: ['/usr/sbin/iptables', '/sbin/iptables'], name: 'iptables' },
  { files: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'], name: 'iproute2' },
  { files: ['/usr/bin/unshare'], name: 'util-linux' },
];

/** The first download of package lists can be slow. */
const TIMEOUT_MS = 300_000;

/**
 * Installs what this machine lacks of them.
 *
 * @throws Error that names what is missing and cannot be installed
 */
export async function installPackages(): Promise<void> {
  const missing = PACKAGES.filter(({ files }) => !files.some((file) => existsSync(file))).map(({ name }) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`only root may install ${missing.join(', ')}`);
  const environment = { timeoutMs: TIMEOUT_MS, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const lists = await run('apt-get', ['update', '--quiet=2'], environment);
  const install = ['install', '--quiet=2', '--no-install-recommends', ...missing];
  const { code, stderr } = lists.code === 0 ? await run('apt-get', install, environment) : lists;
  if (code !== 0) throw new Error(`${missing.join(', ')} cannot be installed: ${stderr}`);
}

/** Returns the folder of the network plugins. */
export function networkPlugins(): string {
  const found = ['/usr/lib/cni', '/opt/cni/bin'].find((folder) => existsSync(`${folder}/bridge`));
  if (found === undefined) throw new Error('There are no network plugins');
  return found;
}
