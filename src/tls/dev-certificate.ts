import 'reflect-metadata';

import { webcrypto } from 'node:crypto';
import { hostname } from 'node:os';

import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

import type { KeyPair } from './certificate.ts';
import { ECDSA, exportKey, generateKeys } from './ecdsa.ts';

/** Long enough to try things out, too short to get used to. */
const LIFETIME_MS = 7 * 24 * 3_600_000;
/** For clients whose clock is late. */
const CLOCK_SKEW_MS = 60_000;

/** This machine, by its own names and by those that a local cluster's nodes (kind, minikube) know it under. */
const DNS_NAMES: readonly string[] = ['localhost', 'host.docker.internal', 'host.minikube.internal'];
const IP_ADDRESSES: readonly string[] = ['127.0.0.1', '::1'];

/** Makes a self-signed ECDSA P-256 certificate, its own CA, for trying things out. */
export async function createDevCertificate(now: Date): Promise<KeyPair> {
  const keys = await generateKeys();
  const notBefore = new Date(now.getTime() - CLOCK_SKEW_MS);
  const notAfter = new Date(now.getTime() + LIFETIME_MS);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=jobguard --dev',
      notBefore,
      notAfter,
      keys,
      signingAlgorithm: ECDSA,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([
          ...[...DNS_NAMES, hostname()].map((value) => ({ type: 'dns' as const, value })),
          ...IP_ADDRESSES.map((value) => ({ type: 'ip' as const, value })),
        ]),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: await exportKey(keys.privateKey), notBefore, notAfter };
}
