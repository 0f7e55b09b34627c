import 'reflect-metadata';

import { randomBytes, webcrypto } from 'node:crypto';

import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

import type { KeyPair } from '../certificate.ts';
import { ECDSA, exportKey, generateKeys, importKey } from '../ecdsa.ts';

/** A certificate authority: its certificate and its private key, both PEM. */
export interface Authority {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 24 * 3_600_000;
/** Long: each change of authority needs every API server to learn of it. */
export const AUTHORITY_LIFETIME_MS = 3_650 * DAY_MS;
/** Short: a leaf can be renewed by any replica at any time. */
export const LEAF_LIFETIME_MS = 90 * DAY_MS;
/** How late the clocks of API servers may be. */
export const BACKDATE_MS = 3_600_000;

/** Makes a certificate authority that signs leaves and nothing else. Its name is its own, so that no two are confused. */
export async function createAuthority(now: Date): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=jobguard CA ${randomBytes(8).toString('hex')}`,
      ...validity(now, AUTHORITY_LIFETIME_MS),
      keys,
      signingAlgorithm: ECDSA,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

/** Issues a serving certificate for DNS names, the first of which is its common name. */
export async function issueLeaf(authority: Authority, dnsNames: readonly string[], now: Date): Promise<KeyPair> {
  const issuer = new X509Certificate(authority.cert);
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create(
    {
      subject: 'CN=jobguard',
      issuer: issuer.subject,
      ...validity(now, LEAF_LIFETIME_MS),
      publicKey: keys.publicKey,
      signingKey: await importKey(authority.key),
      signingAlgorithm: ECDSA,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns' as const, value }))),
        await AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export(webcrypto), false, webcrypto),
      ],
    },
    webcrypto,
  );
  const { notBefore, notAfter } = certificate;
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey), notBefore, notAfter };
}

/** Certificates count whole seconds. */
function validity(now: Date, lifetimeMs: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const start = Math.floor(now.getTime() / 1000) * 1000;
  return { notBefore: new Date(start - BACKDATE_MS), notAfter: new Date(start + lifetimeMs) };
}
