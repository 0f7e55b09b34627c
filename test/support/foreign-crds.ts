import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moduleFolder } from '../../tools/go/module.ts';
import { fillFolder, userCache } from '../../tools/user-cache.ts';

/** Some of the kinds of a project, as its Go module has them. */
interface Project {
  readonly name: string;
  readonly module: string;
  readonly folder: string;
  readonly files: readonly string[];
}

/** The kinds of which the chart makes objects, where they are installed. */
const USED_BY_CHART: readonly Project[] = [
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
    files: ['podmonitors', 'prometheusrules', 'servicemonitors'].map(
      (plural) => `monitoring.coreos.com_${plural}.yaml`,
    ),
  },
];

/** The kinds that a policy can have guarded. */
const GUARDED: readonly Project[] = [
  {
    name: 'training-operator-v1.9.4',
    module: 'github.com/kubeflow/training-operator@v1.9.4',
    folder: 'manifests/base/crds',
    files: ['mpijobs', 'xgboostjobs', 'paddlejobs', 'jaxjobs'].map((plural) => `kubeflow.org_${plural}.yaml`),
  },
  {
    name: 'jobset-v0.8.1',
    module: 'sigs.k8s.io/jobset@v0.8.1',
    folder: 'config/components/crd/bases',
    files: ['jobset.x-k8s.io_jobsets.yaml'],
  },
];

/** Returns the files with the CustomResourceDefinitions of which the chart makes objects, the real ones. */
export function foreignCrdFiles(): Promise<string[]> {
  return filesOf(USED_BY_CHART);
}

/** Returns the files with the CustomResourceDefinitions, the real ones, of the jobs that only a policy has guarded. */
export function otherJobCrdFiles(): Promise<string[]> {
  return filesOf(GUARDED);
}

async function filesOf(projects: readonly Project[]): Promise<string[]> {
  const files = await Promise.all(
    projects.map(async ({ name, module, folder, files }) => {
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
