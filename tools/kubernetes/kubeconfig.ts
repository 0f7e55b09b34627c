import { writeFile } from 'node:fs/promises';
import type { ControlPlane, Username } from './control-plane.ts';

/** Writes the administrator's kubeconfig, or another user's, into a file that needs no other. */
export async function writeKubeconfig(cluster: ControlPlane, path: string, as?: Username): Promise<void> {
  const view = ['config', 'view', '--raw', '--flatten'];
  const { code, stdout, stderr } = await cluster.kubectl(view, as === undefined ? {} : { as });
  if (code !== 0) throw new Error(`kubectl shows no configuration: ${stderr}`);
  await writeFile(path, stdout, { mode: 0o600 });
}
