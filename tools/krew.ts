import { goTool } from './go/tool.ts';

/** Returns the path of krew, the installer of kubectl's plugins. */
export async function krewBinary(): Promise<string> {
  return goTool({ name: 'krew', package: 'sigs.k8s.io/krew/cmd/krew', version: 'v0.4.3', override: 'KREW' });
}
