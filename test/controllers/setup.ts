import { run } from '../../tools/child-process.ts';
import { goTool } from '../../tools/go/tool.ts';
import { kubernetesBinaries } from '../../tools/kubernetes/binaries.ts';
import { crdFiles } from '../../tools/kubernetes/crds.ts';
import { failInCi } from '../support/missing-layer.ts';
import { MANAGERS } from './managers.ts';

/** The variable by which the test files learn that there are no controllers to run. */
export const NO_CONTROLLERS = 'JOBGUARD_TEST_NO_CONTROLLERS';

/** Builds once, before all files of this layer, what they run. */
export default async function setup(): Promise<void> {
  try {
    const { code, stderr } = await run('unshare', ['--map-root-user', '--mount', 'true']);
    if (code !== 0) throw new Error(`no file system of its own for a program: ${stderr}`);
    await kubernetesBinaries();
    await crdFiles('training-operator 1.9');
    for (const { program } of MANAGERS) await goTool(program);
  } catch (error) {
    failInCi('the tests with real controllers', error);
    process.env[NO_CONTROLLERS] = 'true';
  }
}
