import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helm } from '../../tools/helm.ts';
import { startCluster } from '../../tools/node/cluster.ts';
import { loadImages } from '../../tools/node/load-images.ts';
import { craneBinary, succeed } from './tools.ts';

/** What is installed on a node, and from where. */
export interface Installation {
  /** `localhost:5000/charts/jobguard` */
  readonly chart: string;
  readonly version: string;
  /** `localhost:5000/jobguard@sha256:…`; the registry and the repository go into the chart's values. */
  readonly image: string;
}

/** Installs the chart from a registry on a Kubernetes node of its own, and runs its test; that takes root. */
export async function installOnNode({ chart, version, image }: Installation, folder: string): Promise<void> {
  const cluster = await startCluster();
  try {
    // A registry on loopback cannot be reached from the node, which has a network of its own.
    await loadImages(cluster.loadCommand, await imageArchive(image, folder));
    const [registry = '', repository = ''] = image.replace(/@.*/, '').split('/');
    const values = ['--set', `image.registry=${registry}`, '--set', `image.repository=${repository}`];
    const source = [`oci://${chart}`, '--version', version, '--plain-http'];
    const where = ['--namespace=jobguard', '--kubeconfig', cluster.kubeconfig];
    await expectSuccess(['install', 'jobguard', ...source, ...where, '--create-namespace', '--wait', ...values]);
    // eslint-disable-next-line no-restricted-syntax -- helm's command, not a folder
    await expectSuccess(['test', 'jobguard', ...where]);
  } finally {
    await cluster.stop();
  }
}

async function expectSuccess(args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await helm(args);
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stdout}${stderr}`);
}

/** Writes an archive from which containerd takes an image under the name with its digest, as the chart has it. */
async function imageArchive(image: string, folder: string): Promise<string> {
  const [layout, archive] = [join(folder, 'layout'), join(folder, 'layout.tar')];
  await mkdir(layout);
  await succeed(await craneBinary(), ['pull', '--format=oci', image, layout]);
  const path = join(layout, 'index.json');
  const index = JSON.parse(await readFile(path, 'utf8')) as { manifests: object[] };
  const manifests = index.manifests.map((each) => ({ ...each, annotations: { 'io.containerd.image.name': image } }));
  await writeFile(path, JSON.stringify({ ...index, manifests }));
  await succeed('tar', ['--create', `--file=${archive}`, `--directory=${layout}`, '.']);
  return archive;
}
