import { writeFile } from 'node:fs/promises';
import type { ControlPlane } from './control-plane.ts';

/** Writes the administrator's kubeconfig into a file that needs no other. */
export async function writeKubeconfig(cluster: ControlPlane, path: string): Promise<void> {
  const { code, stdout, stderr } = await cluster.kubectl(['config', 'view', '--raw', '--flatten']);
  if (code !== 0) throw new Error(`kubectl shows no configuration: ${stderr}`);
  await writeFile(path, stdout, { mode: 0o600 });
}
