import { helmBinary } from '../../tools/helm.ts';
import { crdFiles } from '../../tools/kubernetes/crds.ts';
import { otherJobCrdFiles } from '../support/foreign-crds.ts';
import { kubernetesBinaries } from '../../tools/kubernetes/binaries.ts';
import { failInCi } from '../support/missing-layer.ts';

/** The variable by which the test files learn that there is nothing to start a control plane from. */
export const NO_CONTROL_PLANE = 'JOBGUARD_TEST_NO_CONTROL_PLANE';

/** Gets once, before all files of this layer, what their control planes start from. */
export default async function setup(): Promise<void> {
  try {
    await kubernetesBinaries();
    await crdFiles('training-operator 1.8');
    await crdFiles('training-operator 1.9');
    await otherJobCrdFiles();
    await helmBinary();
  } catch (error) {
    failInCi('the apiserver tests: no control plane', error);
    process.env[NO_CONTROL_PLANE] = 'true';
  }
}
