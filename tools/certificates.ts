import 'reflect-metadata';

import { randomUUID, webcrypto } from 'node:crypto';

import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, both PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** When a certificate is valid, in hours from now. */
export interface Validity {
  readonly fromHours?: number;
  readonly toHours?: number;
}

/** A throw-away certificate authority. */
export interface Authority {
  readonly cert: string;
  /** Issues a certificate for localhost, or for other hosts; `name` tells one from another. */
  issue: (name: string, validity?: Validity, dnsNames?: readonly string[]) => Promise<Issued>;
}

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export async function createAuthority(): Promise<Authority> {
  const issuer = await generateKeys();
  const authority = await X509CertificateGenerator.createSelfSigned(
    {
      // A name of its own: by its name an issuer is looked for.
      name: `CN=jobguard-tests ${randomUUID()}`,
      notBefore: inHours(-1000),
      notAfter: inHours(1000),
      keys: issuer,
      signingAlgorithm: ECDSA,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    },
    webcrypto,
  );
  const issue: Authority['issue'] = async (name, { fromHours = -1, toHours = 1 } = {}, dnsNames = ['localhost']) => {
    const keys = await generateKeys();
    const certificate = await X509CertificateGenerator.create(
      {
        subject: `CN=${name}`,
        issuer: authority.subject,
        notBefore: inHours(fromHours),
        notAfter: inHours(toHours),
        publicKey: keys.publicKey,
        signingKey: issuer.privateKey,
        signingAlgorithm: ECDSA,
        extensions: [
          new SubjectAlternativeNameExtension([
            ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
            { type: 'ip', value: '127.0.0.1' },
          ]),
        ],
      },
      webcrypto,
    );
    const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
    return { cert: certificate.toString('pem'), key };
  };
  return { cert: authority.toString('pem'), issue };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
}

function inHours(hours: number): Date {
  return new Date(Date.now() + hours * 3_600_000);
}
