import { crdFiles } from '../../tools/kubernetes/crds.ts';
import { otherJobCrdFiles } from '../support/foreign-crds.ts';
import { kubernetesBinaries } from '../../tools/kubernetes/binaries.ts';

/** The variable by which the test files learn that there is nothing to start a control plane from. */
export const NO_CONTROL_PLANE = 'JOBGUARD_TEST_NO_CONTROL_PLANE';

/** Gets once, before all files of this layer, what their control planes start from. */
export default async function setup(): Promise<void> {
  try {
    await kubernetesBinaries();
    await crdFiles('training-operator 1.8');
    await crdFiles('training-operator 1.9');
    await otherJobCrdFiles();
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    process.env[NO_CONTROL_PLANE] = 'true';
    const rule = '!'.repeat(100);
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${rule}\nSKIPPED: the apiserver tests, for want of a control plane. ${why}\n${rule}\n`);
  }
}
