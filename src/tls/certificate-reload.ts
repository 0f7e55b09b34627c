import type { Server } from 'node:https';

import { readKeyPair, validityProblem, type CertificateFiles, type KeyPair } from './certificate.ts';
import { readClientAuthorities } from './client-authorities.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Check } from '../telemetry/readiness.ts';
import { secureContext, type TlsVersion } from './secure-context.ts';

/** Where a certificate comes from. */
export interface CertificateSource {
  /** What is served with at first; undefined where none is loaded yet. */
  readonly keyPair: KeyPair | undefined;
  /** Returns what is to be served with from now on, undefined where nothing is yet; undefined itself: never renewed. */
  readonly renew: (() => Promise<KeyPair | undefined>) | undefined;
  /** How long to wait until it is asked again. */
  readonly delayMs: () => number;
  /** The clock that the certificate's dates count by. */
  readonly now: () => Date;
  /** What being ready takes beside a certificate that is valid now. */
  readonly checks: readonly Check[];
}

/** The certificates that prove who may call. */
export interface ClientAuthoritySource {
  /** PEM; what is trusted at first. */
  readonly pem: string;
  readonly file: string;
  readonly pollMs: number;
}

export interface CertificateReloadOptions {
  readonly server: Pick<Server, 'setSecureContext'>;
  readonly minVersion: TlsVersion;
  readonly source: CertificateSource;
  /** undefined: whoever reaches the port may call. */
  readonly clientAuthorities: ClientAuthoritySource | undefined;
  readonly metrics: Pick<Metrics, 'certificateNotAfter' | 'recordReload'>;
  readonly log: Logger;
}

export interface CertificateReload {
  /** What being ready takes. */
  readonly checks: readonly Check[];
  end(): void;
}

/**
 * Polls a certificate and its key by content.
 *
 * Polling, not fs.watch: a Secret volume replaces its files by swapping a symlink, after which a watch sees nothing.
 */
export function certificateInFiles(
  keyPair: KeyPair,
  files: CertificateFiles,
  pollMs: number,
  now: () => Date,
): CertificateSource {
  return { keyPair, renew: () => readKeyPair(files, now()), delayMs: () => pollMs, now, checks: [] };
}

/**
 * Asks for the certificate, and for the client authorities, again and again, and hands each new one to the server; open
 * connections keep the old one. What cannot be used, such as a pair of which half was replaced between two reads,
 * changes nothing.
 */
export function reloadCertificate(options: CertificateReloadOptions): CertificateReload {
  const { source, clientAuthorities } = options;
  const serving: Serving = { keyPair: source.keyPair, clientCa: clientAuthorities?.pem };
  announce(options, serving);
  const ends = [pollKeyPair(options, serving), pollClientAuthorities(options, serving)];
  return {
    checks: [{ name: 'certificate', problem: () => validityProblem(serving.keyPair, source.now()) }, ...source.checks],
    end: () => {
      for (const end of ends) end?.();
    },
  };
}

/** What the server uses now. */
interface Serving {
  keyPair: KeyPair | undefined;
  clientCa: string | undefined;
}

function pollKeyPair(options: CertificateReloadOptions, serving: Serving): (() => void) | undefined {
  const { source, metrics, log } = options;
  const use = (pair: KeyPair | undefined): boolean => {
    const { keyPair: current } = serving;
    if (pair === undefined || (pair.cert === current?.cert && pair.key === current.key)) return false;
    serving.keyPair = pair;
    apply(options, serving);
    announce(options, serving);
    log.info({ notAfter: pair.notAfter.toISOString() }, 'certificate reloaded');
    return true;
  };
  const refused = (): string =>
    serving.keyPair === undefined
      ? 'no certificate loaded yet'
      : 'certificate rejected; still serving the previous certificate';
  if (source.renew === undefined) return undefined;
  const isUrgent = serving.keyPair === undefined;
  return poll({ read: source.renew, use, refused, delayMs: source.delayMs, metrics, log }, isUrgent);
}

function pollClientAuthorities(options: CertificateReloadOptions, serving: Serving): (() => void) | undefined {
  const { clientAuthorities, metrics, log } = options;
  if (clientAuthorities === undefined) return undefined;
  const use = (pem: string): boolean => {
    if (pem === serving.clientCa) return false;
    serving.clientCa = pem;
    apply(options, serving);
    log.info('client CA certificates reloaded');
    return true;
  };
  return poll({
    read: () => readClientAuthorities(clientAuthorities.file),
    use,
    refused: () => 'client CA certificates rejected; still using the previous ones',
    delayMs: () => clientAuthorities.pollMs,
    metrics,
    log,
  });
}

function apply({ server, minVersion }: CertificateReloadOptions, serving: Serving): void {
  server.setSecureContext(secureContext({ ...serving, minVersion }));
}

function announce({ metrics }: CertificateReloadOptions, { keyPair }: Serving): void {
  if (keyPair !== undefined) metrics.certificateNotAfter.value = keyPair.notAfter.getTime() / 1000;
}

interface Poll<T> {
  readonly read: () => Promise<T>;
  /** Returns whether it was new. */
  readonly use: (found: T) => boolean;
  /** What to log when reading or using it fails. */
  readonly refused: () => string;
  readonly delayMs: () => number;
  readonly metrics: Pick<Metrics, 'recordReload'>;
  readonly log: Logger;
}

/** Reads something again and again until the function that it returns is called. */
function poll<T>({ read, use, refused, delayMs, metrics, log }: Poll<T>, isUrgent = false): () => void {
  let problem: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;

  const accept = (found: T): void => {
    if (isEnded) return;
    if (use(found)) metrics.recordReload('success');
    else if (problem !== undefined) log.info({ was: problem }, 'certificates readable again');
    problem = undefined;
  };
  const refuse = (error: unknown): void => {
    metrics.recordReload('failure');
    const found = error instanceof Error ? error.message : String(error);
    // Once a problem, not once a poll.
    if (found !== problem) log.error({ problem: found }, refused());
    problem = found;
  };
  const schedule = (afterMs: number): void => {
    if (isEnded) return;
    timer = setTimeout(() => {
      void read()
        .then(accept)
        .catch(refuse)
        .finally(() => schedule(delayMs()));
    }, afterMs);
  };

  schedule(isUrgent ? 0 : delayMs());
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}
