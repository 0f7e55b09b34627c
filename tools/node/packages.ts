import { existsSync } from 'node:fs';

/** What a node takes beside Kubernetes itself, and the Debian packages that have it. */
const PACKAGES = [
  { files: ['/usr/bin/containerd', '/usr/local/bin/containerd'], name: 'containerd' },
  { files: ['/usr/sbin/runc', '/usr/bin/runc', '/usr/local/sbin/runc'], name: 'runc' },
  { files: ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'], name: 'containernetworking-plugins' },
  { files: ['/usr/sbin/iptables', '/sbin/iptables'], name: 'iptables' },
  { files: ['/usr/sbin/conntrack', '/sbin/conntrack'], name: 'conntrack' },
  { files: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'], name: 'iproute2' },
  { files: ['/usr/bin/unshare'], name: 'util-linux' },
];

/** Returns why this machine can hold no node, or undefined where it can. */
export function whyNoNode(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may start a node';
  const missing = PACKAGES.filter(({ files }) => !files.some((file) => existsSync(file))).map(({ name }) => name);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

/** Returns the folder of the network plugins. */
export function networkPlugins(): string {
  const found = ['/usr/lib/cni', '/opt/cni/bin'].find((folder) => existsSync(`${folder}/bridge`));
  if (found === undefined) throw new Error('There are no network plugins');
  return found;
}
