import { crdFiles } from '../../tools/kubernetes/crds.ts';
import { foreignCrdFiles } from '../support/foreign-crds.ts';
import { HELM_MAJORS, helmBinary } from '../../tools/helm.ts';
import { kubeconformBinary } from './kubeconform.ts';
import { kubernetesBinaries } from '../../tools/kubernetes/binaries.ts';
import { matchConditionProgram } from './match-condition-program.ts';
import { failInCi } from '../support/missing-layer.ts';

/** The variable by which the test files learn that what they need is not there. */
export const NO_HELM = 'JOBGUARD_TEST_NO_HELM';

/** Gets once, before all files of this layer, the programs and the definitions that they need. */
export default async function setup(): Promise<void> {
  try {
    for (const major of HELM_MAJORS) await helmBinary(major);
    await kubeconformBinary();
    await matchConditionProgram();
    await kubernetesBinaries();
    await crdFiles('training-operator 1.9');
    await foreignCrdFiles();
  } catch (error) {
    failInCi("the chart's tests: their programs are missing", error);
    process.env[NO_HELM] = 'true';
  }
}
