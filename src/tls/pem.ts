import { X509Certificate } from 'node:crypto';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const BLOCK = new RegExp(`${BEGIN}[^-]+-----END CERTIFICATE-----`, 'g');

/** Returns each certificate of a PEM text in one canonical spelling, so that texts can be compared; what is none is left out. */
export function certificatesOf(pem: string): string[] {
  return (pem.match(BLOCK) ?? []).flatMap((block) => {
    try {
      return [new X509Certificate(block).toString()];
    } catch {
      return [];
    }
  });
}

/** Tells how many certificates a PEM text means to hold, broken ones and one that is cut off included. */
export function countOfCertificates(pem: string): number {
  return pem.split(BEGIN).length - 1;
}
