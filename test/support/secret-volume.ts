import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The content of a Secret of type kubernetes.io/tls. */
export interface TlsSecret {
  readonly cert: string;
  readonly key: string;
}

/** A folder as kubelet keeps it for a mounted Secret. */
export interface SecretVolume extends AsyncDisposable {
  readonly certFile: string;
  readonly keyFile: string;
  /** Replaces both files at once. */
  replace: (secret: TlsSecret) => Promise<void>;
}

/**
 * Makes a folder in which `tls.crt` and `tls.key` are symlinks into `..data`, itself a symlink that is swapped in one
 * step. Source: k8s.io/kubernetes pkg/volume/util/atomic_writer.go.
 */
export async function createSecretVolume(secret: TlsSecret): Promise<SecretVolume> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-secret-'));
  let generation = 0;
  const replace = async ({ cert, key }: TlsSecret): Promise<void> => {
    generation += 1;
    const payload = `..2026_01_01_00_00_00.${generation}`;
    await mkdir(join(folder, payload));
    await writeFile(join(folder, payload, 'tls.crt'), cert);
    await writeFile(join(folder, payload, 'tls.key'), key);
    await symlink(payload, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    if (generation > 1) await rm(join(folder, `..2026_01_01_00_00_00.${generation - 1}`), { recursive: true });
  };
  await replace(secret);
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await symlink('..data/tls.crt', certFile);
  await symlink('..data/tls.key', keyFile);
  return { certFile, keyFile, replace, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
