import { crdFiles } from '../../tools/kubernetes/crds.ts';
import { helmBinary } from '../../tools/helm.ts';
import { kubernetesBinaries } from '../../tools/kubernetes/binaries.ts';
import { requirePrometheus } from './prometheus.ts';
import { failInCi } from '../support/missing-layer.ts';

/** The variable by which the test files learn that what they need is not there. */
export const NO_PROMETHEUS = 'JOBGUARD_TEST_NO_PROMETHEUS';

/** Gets once, before all files of this layer, the programs and the definitions that they need. */
export default async function setup(): Promise<void> {
  try {
    await requirePrometheus();
    await helmBinary();
    await kubernetesBinaries();
    await crdFiles('training-operator 1.9');
  } catch (error) {
    failInCi('the monitoring tests: their programs are missing', error);
    process.env[NO_PROMETHEUS] = 'true';
  }
}
