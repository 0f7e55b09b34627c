import { readFile } from 'node:fs/promises';

import { InvalidCertificateError } from './certificate.ts';
import { certificatesOf, countOfCertificates } from './pem.ts';

/**
 * Reads the certificates that prove a client, and returns them as PEM.
 *
 * @throws InvalidCertificateError where the file cannot be read, holds none, or one that is broken
 */
export async function readClientAuthorities(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new InvalidCertificateError(`${file} cannot be read: ${String(error)}`, { cause: error });
  });
  const certificates = certificatesOf(pem);
  const broken = countOfCertificates(pem) - certificates.length;
  if (broken > 0) throw new InvalidCertificateError(`${file} holds ${broken} broken PEM certificates`);
  if (certificates.length === 0) throw new InvalidCertificateError(`${file} contains no PEM certificate`);
  return certificates.join('');
}
