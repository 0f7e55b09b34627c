import { run } from '../child-process.ts';

const TIMEOUT_MS = 300_000;

/** Gives a cluster the images of an archive that `docker save` wrote, by a command to which its path is added. */
export async function loadImages([program = '', ...args]: readonly string[], archive: string): Promise<void> {
  const { code, stdout, stderr } = await run(program, [...args, archive], { timeoutMs: TIMEOUT_MS });
  if (code !== 0) throw new Error(`The images of ${archive} cannot be loaded: ${stdout}${stderr}`);
}
