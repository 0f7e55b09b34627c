import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moduleFolder } from '../go/module.ts';
import { fillFolder, userCache } from '../user-cache.ts';

/** The API generations that people run; all of them serve `kubeflow.org/v1`. */
export type Generation = 'first generation' | 'training-operator 1.8' | 'training-operator 1.9';

const FILES = ['kubeflow.org_tfjobs.yaml', 'kubeflow.org_pytorchjobs.yaml'];

/**
 * Returns the files with the CustomResourceDefinitions of TFJob and PyTorchJob of one generation.
 *
 * Those of training-operator are the real ones, out of its Go module: they come by way of `go mod download`, whose
 * checksums are verified, and stay in the user's cache.
 */
export async function crdFiles(generation: Generation): Promise<string[]> {
  switch (generation) {
    case 'first generation':
      return [join(import.meta.dirname, 'crds/first-generation.yaml')];
    case 'training-operator 1.8':
      return trainingOperatorCrds('v1.8.1');
    case 'training-operator 1.9':
      return trainingOperatorCrds('v1.9.4');
  }
}

async function trainingOperatorCrds(version: string): Promise<string[]> {
  const folder = join(userCache(), 'crds', `training-operator-${version}`);
  await fillFolder(folder, FILES, async (missing, staging) => {
    const module = await moduleFolder(`github.com/kubeflow/training-operator@${version}`);
    for (const name of missing) await copyFile(join(module, 'manifests/base/crds', name), join(staging, name));
  });
  return FILES.map((name) => join(folder, name));
}
