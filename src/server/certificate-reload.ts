import type { Server } from 'node:https';

import type { CertificateFiles, TlsVersion } from '../config.ts';
import { readKeyPair, type KeyPair } from './certificate.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { secureContext } from './secure-server.ts';

/** Where a certificate comes from. */
export interface CertificateSource {
  /** What is served with at first. */
  readonly keyPair: KeyPair;
  /** Where it is renewed; undefined where it never is. */
  readonly files: CertificateFiles | undefined;
  readonly pollMs: number;
}

export interface CertificateReloadOptions {
  readonly server: Pick<Server, 'setSecureContext'>;
  readonly minVersion: TlsVersion;
  readonly source: CertificateSource;
  readonly metrics: Pick<Metrics, 'certificateNotAfter' | 'recordReload'>;
  readonly log: Logger;
  readonly now: () => Date;
}

export interface CertificateReload {
  /** Returns the pair that new connections get. */
  current(): KeyPair;
  end(): void;
}

/**
 * Polls a certificate and its key by content and hands each new pair to the server; open connections keep the old one.
 * A pair that cannot be used, such as one of which half was replaced between the two reads, changes nothing and is read
 * again at the next poll.
 *
 * Polling, not fs.watch: a Secret volume replaces its files by swapping a symlink, after which a watch sees nothing.
 */
export function reloadCertificate(options: CertificateReloadOptions): CertificateReload {
  const { server, minVersion, source, metrics, log, now } = options;
  let current = source.keyPair;
  let problem: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;

  const announce = (): void => metrics.certificateNotAfter.set(current.notAfter.getTime() / 1000);
  const use = (pair: KeyPair): void => {
    problem = undefined;
    if (isEnded || (pair.cert === current.cert && pair.key === current.key)) return;
    server.setSecureContext(secureContext(pair, minVersion));
    current = pair;
    announce();
    metrics.recordReload('success');
    log.info({ notAfter: pair.notAfter.toISOString() }, 'certificate reloaded');
  };
  const refuse = (error: unknown): void => {
    metrics.recordReload('failure');
    const found = error instanceof Error ? error.message : String(error);
    // Once a problem, not once a poll.
    if (found !== problem) log.error({ problem: found }, 'certificate refused; the last good one goes on serving');
    problem = found;
  };
  const schedule = (files: CertificateFiles): void => {
    if (isEnded) return;
    timer = setTimeout(() => {
      void readKeyPair(files, now())
        .then(use)
        .catch(refuse)
        .finally(() => schedule(files));
    }, source.pollMs);
  };

  announce();
  if (source.files !== undefined) schedule(source.files);
  return {
    current: () => current,
    end: () => {
      isEnded = true;
      clearTimeout(timer);
    },
  };
}
