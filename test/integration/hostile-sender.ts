import { request as httpsRequest } from 'node:https';

import { DEFAULT_MAX_REQUEST_BYTES } from '../../src/commands/serve-flags.ts';
import { answerTo, requestOptions, type Endpoint } from '../support/https-client.ts';
import { bodyOf, HOSTILE } from './hostile-reviews.ts';

/** What the sender is told. */
export interface Barrage {
  readonly endpoint: Endpoint;
  /** Of what the bodies consist, in turn. */
  readonly kinds: readonly string[];
  /** Where one body each is sent from at once. */
  readonly addresses: readonly string[];
  readonly rounds: number;
  /** How many connections meanwhile hold on to a small body that does not end. */
  readonly unfinished: number;
}

// Sends the bodies in a process of its own: to encrypt them must not delay what the test measures meanwhile. Prints the
// codes of the answers as JSON.
const { endpoint, kinds, addresses, rounds, unfinished } = JSON.parse(process.argv[2] ?? '') as Barrage;
const bodies = HOSTILE.filter(({ what }) => kinds.includes(what)).map((kind) =>
  bodyOf(kind, DEFAULT_MAX_REQUEST_BYTES),
);

async function send(localAddress: string, index: number): Promise<number | string | undefined> {
  const body = bodies[index % bodies.length] ?? Buffer.of();
  const headers = { 'content-length': String(body.length) };
  const request = httpsRequest({ ...requestOptions(endpoint, { headers }), localAddress });
  const answered = answerTo(request);
  request.end(body);
  return answered.then(({ status }) => status).catch(String);
}

/** The largest body that is taken however much memory is held. */
const SMALL_BODY = Buffer.alloc(64 * 1024, ' ');

/** Sends a small body but for its last byte, again and again; returns once the first one is with the program. */
async function holdOn(until: AbortSignal): Promise<void> {
  if (until.aborted) return;
  const headers = { 'content-length': String(SMALL_BODY.length) };
  const options = { ...requestOptions(endpoint, { headers }), localAddress: '127.0.0.9', signal: until };
  const request = httpsRequest(options);
  const again = (): void => void holdOn(until);
  request.on('error', () => undefined).on('close', again);
  request.on('response', (response) => response.resume());
  await new Promise<void>((resolve) => request.write(SMALL_BODY.subarray(1), () => resolve()));
}

const held = new AbortController();
// One after the other: what is measured is what they hold, not how long a thousand handshakes take.
for (let count = 0; count < unfinished; count += 1) await holdOn(held.signal);
const codes: unknown[] = [];
for (let round = 0; round < rounds; round += 1) {
  codes.push(
    ...(await Promise.all(addresses.map((address, index) => send(address, round * addresses.length + index)))),
  );
}
held.abort();
process.stdout.write(JSON.stringify(codes));
