import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moduleFolder } from './go-module.ts';
import { fillFolder, userCache } from './user-cache.ts';

/** The kinds of other projects of which the chart makes objects, where they are installed. */
const PROJECTS = [
  {
    name: 'cert-manager-v1.21.2',
    module: 'github.com/cert-manager/cert-manager@v1.21.2',
    folder: 'deploy/crds',
    files: ['cert-manager.io_certificates.yaml', 'cert-manager.io_issuers.yaml'],
  },
  {
    name: 'prometheus-operator-v0.85.0',
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    folder: 'example/prometheus-operator-crd',
    files: ['monitoring.coreos.com_podmonitors.yaml', 'monitoring.coreos.com_servicemonitors.yaml'],
  },
];

/** Returns the files with their CustomResourceDefinitions, the real ones, out of their Go modules. */
export async function foreignCrdFiles(): Promise<string[]> {
  const files = await Promise.all(
    PROJECTS.map(async ({ name, module, folder, files }) => {
      const cache = join(userCache(), 'crds', name);
      await fillFolder(cache, files, async (missing, staging) => {
        const source = join(await moduleFolder(module), folder);
        for (const file of missing) await copyFile(join(source, file), join(staging, file));
      });
      return files.map((file) => join(cache, file));
    }),
  );
  return files.flat();
}
