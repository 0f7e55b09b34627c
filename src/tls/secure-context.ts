import type { SecureContextOptions } from 'node:tls';

import type { KeyPair } from './certificate.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What a TLS context is made of. */
export interface Credentials {
  /** undefined: there is none yet, and every handshake fails. */
  readonly keyPair: KeyPair | undefined;
  /** The certificates that prove a client, PEM; undefined: clients are not asked for one. */
  readonly clientCa: string | undefined;
  readonly minVersion: TlsVersion;
}

/** Everything that a TLS context is made of: `setSecureContext` forgets what it is not told again. */
export function secureContext({ keyPair, clientCa, minVersion }: Credentials): SecureContextOptions {
  return {
    minVersion,
    ...(keyPair === undefined ? {} : { cert: keyPair.cert, key: keyPair.key }),
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  };
}
