import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archive } from './archive.ts';
import { ROOT, type Identity } from './identity.ts';

/** Where each file of the plugin's archive is from. krew links `kubectl-jobguard` to the program. */
const FILES = {
  'jobguard.js': 'dist/jobguard.js',
  'judging-worker.js': 'dist/judging-worker.js',
  'kubeconfig.js': 'dist/kubeconfig.js',
  'THIRD-PARTY-NOTICES.txt': 'dist/THIRD-PARTY-NOTICES.txt',
  LICENSE: 'LICENSE',
};

/** Returns the archive of the kubectl plugin, made of what `npm run build` built. */
export async function packPlugin(root: string = ROOT): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-plugin-'));
  try {
    for (const [name, source] of Object.entries(FILES)) await cp(join(root, source), join(folder, name));
    await chmod(join(folder, 'jobguard.js'), 0o755);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
    return await archive(folder, [...Object.keys(FILES), 'package.json']);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Returns the manifest by which krew installs the plugin from its archive on the release's page. */
export async function krewManifest({ version, repository }: Identity, plugin: Buffer): Promise<string> {
  const values: Readonly<Record<string, string>> = { version, repository, sha256: sha256(plugin) };
  const template = await readFile(join(import.meta.dirname, 'krew.yaml'), 'utf8');
  const manifest = template.replace(/^#.*\n/, '');
  return manifest.replaceAll(/\{(\w+)\}/g, (_placeholder, name: string) => values[name] ?? '');
}

/** Returns the checksum of a file's content, in hexadecimal. */
export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
