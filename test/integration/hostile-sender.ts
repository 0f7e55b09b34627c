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
}

// Sends the bodies in a process of its own: to encrypt them must not delay what the test measures meanwhile. Prints the
// codes of the answers as JSON.
const { endpoint, kinds, addresses, rounds } = JSON.parse(process.argv[2] ?? '') as Barrage;
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

const codes: unknown[] = [];
for (let round = 0; round < rounds; round += 1) {
  codes.push(
    ...(await Promise.all(addresses.map((address, index) => send(address, round * addresses.length + index)))),
  );
}
process.stdout.write(JSON.stringify(codes));
