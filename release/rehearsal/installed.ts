import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import type { Surroundings } from '../../tools/child-process.ts';
import { helm, KUBE_VERSION } from '../../tools/helm.ts';
import { krewBinary } from '../../tools/krew.ts';
import { ROOT, type Identity } from '../identity.ts';
import { succeed } from './tools.ts';

const PUBLISH_TIMEOUT_MS = 300_000;

/**
 * Pushes the chart's archive and pulls it by its version.
 *
 * @returns the digest of its manifest in the registry: `sha256:…`
 * @throws Error if something else comes back
 */
export async function pushChart(archive: string, charts: string, version: string): Promise<string> {
  const folder = await mkdtemp(join(dirname(archive), '../pulled-'));
  const pushed = await helmOutput(['push', archive, `oci://${charts}`, '--plain-http']);
  const chart = ['pull', `oci://${charts}/jobguard`, '--version', version, '--plain-http', '--destination', folder];
  const pulled = await helmOutput(chart);
  const [digest = '', again] = [pushed, pulled].map((output) => /^Digest: (\S+)$/m.exec(output)?.[1]);
  const copy = join(folder, basename(archive));
  const isSame = digest === again && (await readFile(copy)).equals(await readFile(archive));
  if (!isSame) throw new Error(`another chart was pulled: ${pulled}`);
  return digest;
}

/** Returns the images of the pods that a chart in a registry would run, with its image from another one. */
export async function imagesOf(charts: string, version: string, registry: string): Promise<ReadonlySet<string>> {
  const image = ['--set', `image.registry=${registry}`, '--set', 'image.repository=jobguard'];
  const chart = [`oci://${charts}/jobguard`, '--version', version, '--plain-http', '--kube-version', KUBE_VERSION];
  const manifests = await helmOutput(['template', 'jobguard', ...chart, ...image]);
  return new Set(manifests.match(/(?<=^ *image: )\S+/gm));
}

async function helmOutput(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await helm(args);
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return stdout + stderr;
}

/** Publishes the npm package as the workflow does, installs it, and returns what the installed program says of itself. */
export async function publishPackage(registry: string, { package: name }: Identity, folder: string): Promise<string[]> {
  const config = join(folder, 'npmrc');
  // npm publishes for nobody without a token; this registry takes any.
  await writeFile(config, `registry=http://${registry}/\n//${registry}/:_authToken=anybody\n`);
  const flags = [
    '--userconfig',
    config,
    '--cache',
    join(folder, 'npm-cache'),
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  await succeed('npm', ['publish', '--access=public', ...flags], { cwd: ROOT, timeoutMs: PUBLISH_TIMEOUT_MS });
  const [prefix, project] = [join(folder, 'global'), join(folder, 'project')];
  await mkdir(project);
  await succeed('npm', ['install', '--global', `--prefix=${prefix}`, name, ...flags], { cwd: project });
  return [
    await succeed(join(prefix, 'bin/jobguard'), ['version'], onNode24()),
    await succeed('npx', ['--yes', ...flags, name, 'version'], { ...onNode24(), cwd: project }),
  ];
}

/** Installs the kubectl plugin with krew from the files of the release's page, and returns what it says of itself. */
export async function installPlugin(page: string, folder: string): Promise<string> {
  const env = { KREW_ROOT: join(folder, 'krew'), KREW_NO_UPGRADE_CHECK: '1' };
  const files = ['--manifest=krew.yaml', '--archive=kubectl-jobguard.tar.gz'];
  await succeed(await krewBinary(), ['install', ...files], { cwd: page, env });
  const plugin = join(folder, 'krew/bin/kubectl-jobguard');
  const jobs = join(ROOT, 'examples/jobs');
  const job = join(jobs, 'tfjob.json');
  await succeed(plugin, ['check', job, job], onNode24());
  return succeed(plugin, ['version'], onNode24());
}

/** The installed programs look for `node` on the PATH. */
function onNode24(): Surroundings {
  return { env: { PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter) } };
}
