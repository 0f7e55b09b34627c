import type { TLSSocket } from 'node:tls';

import { HttpError } from './http.ts';

/**
 * Refuses a connection whose client has not proved who it is, or is not allowed. That is said over HTTP, not by breaking
 * off the handshake: whoever reads the API server's error then knows what to fix.
 *
 * @throws HttpError 401 without a certificate that the authorities prove, 403 where `allowedNames` has none of its names
 */
export function checkClient(socket: TLSSocket, allowedNames: readonly string[]): void {
  if (!socket.authorized) {
    const why = String(socket.authorizationError);
    throw new HttpError(401, `this webhook requires the API server's client certificate: ${why}`);
  }
  if (allowedNames.length === 0) return;
  const names = namesOf(socket);
  if (names.some((name) => allowedNames.includes(name))) return;
  throw new HttpError(
    403,
    `the client certificate for ${JSON.stringify(names)} is not allowed (--allowed-client-names)`,
  );
}

/** Returns the common name and the alternative names; those with characters that need quoting can be nobody's. */
function namesOf(socket: TLSSocket): string[] {
  const { subject, subjectaltname = '' } = socket.getPeerCertificate();
  const alternatives = subjectaltname.matchAll(/(?:^|, )(?:DNS|URI|email|IP Address):(?<name>[^",]+)(?=, |$)/g);
  // Repeated attributes come as a list, whatever the type says.
  const commonNames = [subject.CN].flat().filter((name) => typeof name === 'string');
  return [...commonNames, ...[...alternatives].map(({ groups }) => groups?.['name'] ?? '')];
}
