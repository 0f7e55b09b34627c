import { crdFiles } from '../support/crds.ts';
import { helmBinary } from '../support/helm.ts';
import { kubernetesBinaries, nodeBinaries } from '../support/kubernetes-binaries.ts';
import { certManagerProgram } from './cert-manager.ts';
import { imageArchive } from './image.ts';
import { trainingOperatorProgram } from './operator-program.ts';

/** The variable by which the tests learn that there can be no cluster here. */
export const NO_CLUSTER = 'JOBGUARD_TEST_NO_CLUSTER';
/** The variable by which they learn of the image's archive. */
export const ARCHIVE = 'JOBGUARD_TEST_ARCHIVE';

/** Gets once what the cluster starts from. */
export default async function setup(): Promise<void> {
  try {
    if (process.getuid?.() !== 0 && process.env['KUBECONFIG'] === undefined)
      throw new Error('only root may start a node');
    await helmBinary();
    await kubernetesBinaries();
    await nodeBinaries();
    await crdFiles('training-operator 1.9');
    await certManagerProgram();
    await trainingOperatorProgram();
    process.env[ARCHIVE] = await imageArchive();
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    process.env[NO_CLUSTER] = 'true';
    const rule = '!'.repeat(100);
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${rule}\nSKIPPED: the tests on a node, for want of one. ${why}\n${rule}\n`);
  }
}
