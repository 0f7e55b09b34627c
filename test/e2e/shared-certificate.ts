import { X509Certificate } from 'node:crypto';
import type { Cluster } from '../../tools/node/cluster.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { servedUntil, type Release } from './release.ts';

/** The Secret that the replicas of a release share in mode selfManaged. */
export function secretOf({ name }: Release): string {
  return `${name}-certificates`;
}

/** What replicas share; `ca` and `leaf` are PEM. */
export async function stored(cluster: Cluster, release: Release): Promise<{ ca: string; caKey: string; leaf: string }> {
  const secret = `/api/v1/namespaces/${release.namespace}/secrets/${secretOf(release)}`;
  const { json } = await cluster.request('GET', secret);
  const value = (key: string): string => decoded(at(json, 'data', key));
  return { ca: value('ca.crt').trim(), caKey: value('ca.key'), leaf: value('tls.crt') };
}

/** Returns the authorities that the API server trusts, PEM, newest first. */
export async function trusted(cluster: Cluster, { name, namespace }: Release): Promise<string[]> {
  const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const { json } = await cluster.request('GET', `${configurations}/${name}.${namespace}`);
  const pem = decoded(at(json, 'webhooks', 0, 'clientConfig', 'caBundle'));
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** Waits until every pod serves the certificate that the Secret holds, and its authority is trusted; returns the certificate. */
export async function serveWhatIsStored(cluster: Cluster, release: Release): Promise<X509Certificate> {
  return eventually(
    'every pod to serve what the Secret holds',
    async () => {
      const { ca, leaf } = await stored(cluster, release);
      if (!isWhole(leaf) || !(await trusted(cluster, release)).includes(ca)) return undefined;
      const certificate = new X509Certificate(leaf);
      const notAfter = certificate.validToDate.getTime() / 1000;
      const served = await Promise.all((await release.pods()).map((pod) => servedUntil(cluster, release, pod)));
      return served.every((each) => each === notAfter) ? certificate : undefined;
    },
    { timeoutMs: 180_000, intervalMs: 1000 },
  );
}

/** Deletes the Secret that the replicas share, and waits until they serve what a new one holds. */
export async function deleteSecret(cluster: Cluster, release: Release): Promise<void> {
  await kubectl(cluster, release, 'delete', 'secret', secretOf(release));
  await serveWhatIsStored(cluster, release);
}

/** Cuts keys and certificates in the Secret in half, and waits until the replicas have mended it. */
export async function truncateSecret(cluster: Cluster, release: Release): Promise<void> {
  const { caKey, leaf } = await stored(cluster, release);
  const half = (text: string): string => Buffer.from(text.slice(0, text.length / 2)).toString('base64');
  const patch = JSON.stringify({ data: { 'ca.key': half(caKey), 'tls.crt': half(leaf) } });
  await kubectl(cluster, release, 'patch', 'secret', secretOf(release), '--type=merge', '--patch', patch);
  await serveWhatIsStored(cluster, release);
}

async function kubectl(cluster: Cluster, { namespace }: Release, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await cluster.kubectl(['--namespace', namespace, ...args]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

function decoded(base64: unknown): string {
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString() : '';
}

function isWhole(pem: string): boolean {
  return pem.includes('-----END CERTIFICATE-----');
}
