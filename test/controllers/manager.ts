import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { createAuthority } from '../../tools/certificates.ts';
import { start, type Running } from '../../tools/child-process.ts';
import { eventually } from '../../tools/eventually.ts';
import { freePort } from '../../tools/free-port.ts';
import { moduleFolder } from '../../tools/go/module.ts';
import { goTool } from '../../tools/go/tool.ts';
import type { ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { writeKubeconfig } from '../../tools/kubernetes/kubeconfig.ts';
import type { Manager } from './managers.ts';

/** A manager that runs beside an API server until it is disposed of. */
export interface RunningManager extends AsyncDisposable {
  readonly output: () => string;
}

/** Installs a manager's kinds and webhooks, and starts it as the service account that its manifests give it. */
export async function startManager(cluster: ControlPlane, manager: Manager): Promise<RunningManager> {
  await using undo = new AsyncDisposableStack();
  const { name, module, version } = manager.program;
  const source = await moduleFolder(`${module}@${version}`);
  const folder = await mkdtemp(join(tmpdir(), `jobguard-${name}-`));
  undo.defer(() => rm(folder, { recursive: true }));
  const ports = { webhook: await freePort(), health: await freePort(), metrics: await freePort() };
  const certificates = join(folder, 'k8s-webhook-server/serving-certs');
  const caPem = await writeCertificates(name, [certificates, join(folder, 'etc/kueue/metrics/certs')]);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(cluster, kubeconfig, manager.username);
  const configuration = join(folder, 'configuration.yaml');
  await writeFile(configuration, JSON.stringify(manager.configuration({ ports, certificates })));

  await define(cluster, join(source, manager.crds));
  const env = { KUBECONFIG: kubeconfig, TMPDIR: folder };
  const command = [...withOwnEtc(folder), await goTool(manager.program), '--config', configuration];
  const running = start('unshare', command, env);
  undo.defer(running.stop);
  await ready(name, ports.health, running);
  const webhooks = await readFile(join(source, manager.webhooks), 'utf8');
  await apply(cluster, ['--filename=-'], registration(webhooks, { name, port: ports.webhook, caPem }));
  const started = undo.move();
  return { output: running.output, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** Writes a serving certificate into folders, and returns its authority's. */
async function writeCertificates(name: string, folders: readonly string[]): Promise<string> {
  const authority = await createAuthority();
  const { cert, key } = await authority.issue(name);
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'tls.crt'), cert);
    await writeFile(join(folder, 'tls.key'), key);
  }
  return authority.cert;
}

/** Returns how unshare gives a program an `/etc` of its own: Kueue reads a certificate there, whatever it is told. */
function withOwnEtc(folder: string): string[] {
  const script = 'mount --bind "$0" /etc && exec "$@"';
  return ['--map-root-user', '--mount', 'sh', '-c', script, join(folder, 'etc')];
}

async function ready(name: string, port: number, { output, exitCode }: Running): Promise<void> {
  await eventually(
    `${name} to be ready`,
    async () => {
      if (exitCode() !== null) throw new Error(output().slice(-4000));
      const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      return response?.ok === true ? true : undefined;
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
}

/** Applies the definitions in a folder, which controller-gen calls GROUP_PLURAL.yaml, and waits until they are served. */
async function define(cluster: ControlPlane, folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.includes('_'));
  const flags = files.map((file) => `--filename=${join(folder, file)}`);
  await apply(cluster, flags);
  const { code, stderr } = await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...flags]);
  if (code !== 0) throw new Error(stderr);
}

async function apply(cluster: ControlPlane, flags: readonly string[], stdin?: string): Promise<void> {
  const command = ['apply', '--server-side', '--force-conflicts', ...flags];
  const { code, stderr } = await cluster.kubectl(command, stdin === undefined ? {} : { stdin });
  if (code !== 0) throw new Error(stderr);
}

/** Returns the manifests of webhooks, served by this machine in place of a Service. */
function registration(
  manifests: string,
  { name, port, caPem }: { readonly name: string; readonly port: number; readonly caPem: string },
): string {
  const caBundle = Buffer.from(caPem).toString('base64');
  const items = parseAllDocuments(manifests).map((document) => {
    const configuration = document.toJS() as Configuration;
    const webhooks = configuration.webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { url: `https://127.0.0.1:${port}${webhook.clientConfig.service.path}`, caBundle },
    }));
    return { ...configuration, metadata: { name }, webhooks };
  });
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly service: { readonly path: string } } }[];
}
