import { cosignBinary, refuse, succeed } from './tools.ts';

/** Signs by a key of its own, and checks what it signed. */
export interface Signer {
  /**
   * Signs an artefact by its digest, verifies that, and sees that another key does not do.
   *
   * @param artefact `localhost:5000/name@sha256:…`
   */
  sign: (artefact: string) => Promise<void>;
  /** Attests a list of components in CycloneDX to an artefact, verifies that, and returns the list as it was stored. */
  attest: (artefact: string, path: string) => Promise<unknown>;
  /** Carries an image with its signatures to another registry, through files, and verifies it there. */
  carry: (image: string, to: string) => Promise<void>;
}

/** Makes a key in a folder. Nothing is logged publicly, and no public service is asked. */
export async function createSigner(folder: string): Promise<Signer> {
  const cosign = await cosignBinary();
  const around = { cwd: folder, env: { COSIGN_PASSWORD: 'rehearsal', HOME: folder } };
  for (const name of ['release', 'other'])
    await succeed(cosign, ['generate-key-pair', `--output-key-prefix=${name}`], around);
  await succeed(cosign, ['signing-config', 'create', '--out=services.json'], around);
  await succeed(cosign, ['trusted-root', 'create', '--out=root.json'], around);

  const signing = ['--yes', '--key=release.key', '--signing-config=services.json', '--trusted-root=root.json'];
  const verifying = (key: string): string[] => [
    `--key=${key}.pub`,
    '--insecure-ignore-tlog=true',
    '--trusted-root=root.json',
  ];
  return {
    sign: async (artefact) => {
      await succeed(cosign, ['sign', ...signing, artefact], around);
      await succeed(cosign, ['verify', ...verifying('release'), artefact], around);
      await refuse('could not verify', cosign, ['verify', ...verifying('other'), artefact], around);
    },
    attest: async (artefact, path) => {
      const type = '--type=cyclonedx';
      await succeed(cosign, ['attest', ...signing, type, `--predicate=${path}`, artefact], around);
      return predicate(await succeed(cosign, ['verify-attestation', ...verifying('release'), type, artefact], around));
    },
    carry: async (image, to) => {
      await succeed(cosign, ['save', '--dir=carried', image], around);
      await succeed(cosign, ['load', '--dir=carried', to], around);
      const digest = image.slice(image.indexOf('@'));
      await succeed(cosign, ['verify', ...verifying('release'), `${to}${digest}`], around);
    },
  };
}

/** Returns what an envelope, as cosign prints it, says of its subject. */
function predicate(envelope: string): unknown {
  const { payload } = JSON.parse(envelope) as { payload: string };
  const statement = JSON.parse(Buffer.from(payload, 'base64').toString()) as { predicate: unknown };
  return statement.predicate;
}
