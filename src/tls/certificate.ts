import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate chain and its private key, both PEM, that were checked against each other. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate cannot be served with; the message says which file is wrong and how. */
export class InvalidCertificateError extends Error {
  override readonly name = 'InvalidCertificateError';
}

/**
 * Reads a certificate and its key.
 *
 * @throws InvalidCertificateError where a file cannot be read, the two do not belong together, or it is not valid at `now`
 */
export async function readKeyPair({ certFile, keyFile }: CertificateFiles, now: Date): Promise<KeyPair> {
  const files = [readPem(certFile), readPem(keyFile)] as const; // at once: between the two a volume may be swapped
  await Promise.allSettled(files); // which of two faults is told must not be a matter of chance
  const [cert, key] = [await files[0], await files[1]];
  const certificate = attempt(`${certFile} contains no PEM certificate`, () => new X509Certificate(cert));
  const privateKey = attempt(`${keyFile} contains no unencrypted PEM private key`, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new InvalidCertificateError(`the key in ${keyFile} does not belong to the certificate in ${certFile}`);
  }
  // Finds what the leaf alone does not show: a broken chain behind it, a key too weak for TLS.
  attempt(`${certFile} and ${keyFile} cannot be used for TLS`, () => createSecureContext({ cert, key }));

  const pair = { cert, key, notBefore: certificate.validFromDate, notAfter: certificate.validToDate };
  const problem = validityProblem(pair, now);
  if (problem === undefined) return pair;
  throw new InvalidCertificateError(`the certificate in ${certFile} ${problem}`);
}

/** Says why a certificate cannot be served with now, as the end of a sentence; undefined where it can. */
export function validityProblem(pair: KeyPair | undefined, now: Date): string | undefined {
  if (pair === undefined) return 'is not loaded yet';
  if (isValidAt(pair, now)) return undefined;
  const { notBefore, notAfter } = pair;
  return now < notBefore ? `is not valid before ${notBefore.toISOString()}` : `expired on ${notAfter.toISOString()}`;
}

/** Tells whether a certificate is valid at a point in time. */
export function isValidAt({ notBefore, notAfter }: Pick<KeyPair, 'notBefore' | 'notAfter'>, time: Date): boolean {
  return notBefore <= time && time <= notAfter;
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InvalidCertificateError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function attempt<T>(problem: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new InvalidCertificateError(`${problem}: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
