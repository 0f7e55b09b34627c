import { goTool } from '../../tools/go/tool.ts';

/** The real training-operator. */
export const MODULE = 'github.com/kubeflow/training-operator';
export const VERSION = 'v1.9.4';

/** Returns the path of the program, built where it is the first time, which takes minutes. */
export async function trainingOperatorProgram(): Promise<string> {
  const name = 'training-operator.v1';
  return goTool({ name, package: `${MODULE}/cmd/${name}`, version: VERSION, override: 'TRAINING_OPERATOR' });
}
