import { createPrivateKey, X509Certificate } from 'node:crypto';

import { isValidAt, type KeyPair } from '../certificate.ts';
import type { Authority } from './authority.ts';
import { certificatesOf } from '../pem.ts';

/** An authority, and since when the caBundle has been seen to hold it without a break; undefined: not seen there yet. */
export interface PublishedAuthority extends Authority {
  readonly publishedAt: Date | undefined;
}

/** All that replicas share, as the Secret keeps it. */
export interface State {
  /** Issues leaves. */
  readonly ca: PublishedAuthority;
  readonly leaf: KeyPair;
  /** Will issue leaves once every API server trusts it. */
  readonly next: PublishedAuthority | undefined;
  /** Certificates of authorities that issue no more, newest first; trusted for as long as a leaf of theirs may be served. */
  readonly retired: readonly string[];
  readonly retiredUntil: Date | undefined;
}

/** What of a state could be read; what is missing has to be created. */
export interface FoundState extends Omit<State, 'ca' | 'leaf'> {
  readonly ca: PublishedAuthority | undefined;
  readonly leaf: KeyPair | undefined;
  /** Why something that is there cannot be used, one sentence each. */
  readonly problems: readonly string[];
}

/** The data of a Secret, decoded. */
export type SecretData = Readonly<Record<string, string>>;

/** Reads the state; whatever is absent, garbled, not valid at `now` or does not belong together counts as missing. */
export function readState(data: SecretData, dnsNames: readonly string[], now: Date): FoundState {
  const problems: string[] = [];
  const usable = <T>(name: string, read: () => T): T | undefined => {
    if (data[`${name}.crt`] === undefined && data[`${name}.key`] === undefined) return undefined;
    try {
      return read();
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const authority = (name: string): PublishedAuthority | undefined =>
    usable(name, () => {
      const { cert, key, certificate } = readPair(data, name, now);
      if (!certificate.ca) throw new Error('not a CA certificate');
      return { cert, key, publishedAt: readTime(data[`${name}.published-at`]) };
    });
  const ca = authority('ca');
  const leaf = ca && usable('tls', () => readLeaf(data, ca, dnsNames, now));
  const next = authority('next-ca');
  const retired = certificatesOf(data['retired-ca.crt'] ?? '');
  return { ca, leaf, next, retired, retiredUntil: readTime(data['retired-ca.until']), problems };
}

/** Writes the state the way `readState` reads it. */
export function writeState({ ca, leaf, next, retired, retiredUntil }: State): SecretData {
  const authority = (name: string, { cert, key, publishedAt }: PublishedAuthority): SecretData => ({
    [`${name}.crt`]: cert,
    [`${name}.key`]: key,
    ...(publishedAt === undefined ? {} : { [`${name}.published-at`]: publishedAt.toISOString() }),
  });
  return {
    ...authority('ca', ca),
    'tls.crt': leaf.cert,
    'tls.key': leaf.key,
    ...(next === undefined ? {} : authority('next-ca', next)),
    ...(retired.length === 0 ? {} : { 'retired-ca.crt': retired.join('') }),
    ...(retiredUntil === undefined ? {} : { 'retired-ca.until': retiredUntil.toISOString() }),
  };
}

/** Returns the certificates that the API server is to trust, canonical as `certificatesOf` writes them, newest first. */
export function trustedBy({ ca, next, retired }: State): string[] {
  return [...new Set([...(next === undefined ? [] : [next.cert]), ca.cert, ...retired].flatMap(certificatesOf))];
}

function readLeaf(data: SecretData, ca: Authority, dnsNames: readonly string[], now: Date): KeyPair {
  const { certificate, ...pair } = readPair(data, 'tls', now);
  if (!certificate.verify(new X509Certificate(ca.cert).publicKey)) throw new Error('not issued by the current CA');
  const missing = dnsNames.find((name) => certificate.checkHost(name) === undefined);
  if (missing !== undefined) throw new Error(`not valid for ${missing}`);
  return pair;
}

function readPair(data: SecretData, name: string, now: Date): KeyPair & { readonly certificate: X509Certificate } {
  const [cert = '', key = ''] = [data[`${name}.crt`], data[`${name}.key`]];
  const certificate = new X509Certificate(cert);
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    throw new Error('the private key does not match the certificate');
  const pair = { cert, key, notBefore: certificate.validFromDate, notAfter: certificate.validToDate };
  if (isValidAt(pair, now)) return { ...pair, certificate };
  throw new Error(`valid only from ${pair.notBefore.toISOString()} to ${pair.notAfter.toISOString()}`);
}

function readTime(text: string | undefined): Date | undefined {
  const time = new Date(text ?? NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
