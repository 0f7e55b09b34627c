/**
 * Measures what metrics and log cost: the processor time that the server takes for a request with both on, against the same
 * server with both off. A server has one thread that does the work, so this ratio is the one of the throughputs at which it
 * is saturated; unlike those it hardly depends on what else the machine does. Two servers take turns, request by request the
 * same, and each pair of turns gives one ratio.
 *
 *     node test/bench/cost-of-watching.ts
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';

import { Registry } from 'prom-client';

import { STATUS_CODES } from '../../src/server/http.ts';
import { createLog, lossyWriter, type Logger } from '../../src/telemetry/log.ts';
import { collectProcessMetrics, createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { TF_JOB, withValue } from '../support/job.ts';
import { at } from '../../tools/json-at.ts';
import { DEFAULT_POLICY, reviewText } from '../support/review.ts';
import { startTestServer, TEST_BUILD } from '../support/server.ts';

/** What a change of a job is answered, and how often each is in a turn. */
export interface Mix {
  readonly allowed: number;
  readonly denied: number;
}

/** What metrics and log cost with one mix of requests. */
export interface Cost extends Mix {
  /** Processor time with both on, divided by that with both off: the median of all pairs of turns. */
  readonly ratio: number;
  /** The middle half of these ratios. */
  readonly quartiles: readonly [number, number];
  /** Processor time of a request with both off, in microseconds. */
  readonly microseconds: number;
}

/** Most updates are a controller's or a label's; a denied one has a line in the log. */
export const MIXES: readonly Mix[] = [
  { allowed: 450, denied: 50 },
  { allowed: 0, denied: 500 },
];

const WARM_UP_TURNS = 8;
const TURNS = 100;

/** So many requests are under way at once, so that the server never waits for one. */
const CONNECTIONS = 4;

const ALLOWED = request(withValue(TF_JOB, '/metadata/labels/team', 'speech'));
const DENIED = request(withValue(TF_JOB, '/spec/tfReplicaSpecs/Worker/replicas', 3));

/** Writes a whole HTTP request: Node's own client would take longer than the server. */
function request(object: typeof TF_JOB): Buffer {
  const body = reviewText({ oldObject: TF_JOB, object });
  const head = ['POST /validate?timeout=5s HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  return Buffer.from(`${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

interface Contender {
  readonly child: ChildProcess;
  readonly sockets: readonly TLSSocket[];
}

async function startContender(watched: 'on' | 'off'): Promise<Contender> {
  const child = fork(import.meta.filename, [watched], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  // The log is read, as a container runtime does.
  child.stderr?.resume();
  const ready = await message(child);
  const sockets = Array.from({ length: CONNECTIONS }, () =>
    connect({ host: '127.0.0.1', port: Number(at(ready, 'port')), ca: String(at(ready, 'ca')) }),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'secureConnect')));
  return { child, sockets };
}

async function message(child: ChildProcess): Promise<unknown> {
  const received: unknown[] = await once(child, 'message');
  return received[0];
}

/** The processor time that the process of a contender has taken, in microseconds. */
async function usage({ child }: Contender): Promise<number> {
  child.send('usage');
  const used = await message(child);
  return Number(at(used, 'user')) + Number(at(used, 'system'));
}

/** Sends one turn's requests and returns the processor time that they took. */
async function turn(contender: Contender, { allowed, denied }: Mix): Promise<number> {
  const before = await usage(contender);
  const answers = await Promise.all(
    contender.sockets.map((socket, index) => {
      const share = (count: number): number => Math.floor((count + index) / CONNECTIONS);
      return converse(socket, share(allowed), share(denied));
    }),
  );
  const spent = (await usage(contender)) - before;
  const counted = answers.flat().filter((isAllowed) => isAllowed).length;
  if (answers.flat().length !== allowed + denied || counted !== allowed) throw new Error('Not what was asked for');
  return spent;
}

/** Sends requests one after the other and returns for each whether it was allowed. */
async function converse(socket: TLSSocket, allowed: number, denied: number): Promise<boolean[]> {
  const { promise, resolve } = Promise.withResolvers<boolean[]>();
  const answers: boolean[] = [];
  const next = (): void => {
    if (answers.length === allowed + denied) resolve(answers);
    else socket.write(answers.length < allowed ? ALLOWED : DENIED);
  };
  const read = (answer: Buffer): void => {
    answers.push(answer.includes('"allowed":true'));
    next();
  };
  socket.on('data', read);
  next();
  const all = await promise;
  socket.off('data', read);
  return all;
}

/** Measures the cost for each mix. */
export async function measureCosts(): Promise<Cost[]> {
  const [on, off] = await Promise.all([startContender('on'), startContender('off')]);
  const costs: Cost[] = [];
  for (const mix of MIXES) {
    const pairs: { ratio: number; off: number }[] = [];
    for (let index = -WARM_UP_TURNS; index < TURNS; index += 1) {
      // Who goes first takes turns, too.
      const first = index % 2 === 0 ? on : off;
      const one = await turn(first, mix);
      const other = await turn(first === on ? off : on, mix);
      const [ofOn, ofOff] = first === on ? [one, other] : [other, one];
      if (index >= 0) pairs.push({ ratio: ofOn / ofOff, off: ofOff });
    }
    const ratios = pairs.map(({ ratio }) => ratio);
    costs.push({
      ...mix,
      ratio: quantile(ratios, 0.5),
      quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
      microseconds:
        quantile(
          pairs.map((pair) => pair.off),
          0.5,
        ) /
        (mix.allowed + mix.denied),
    });
  }
  for (const { child, sockets } of [on, off]) {
    for (const socket of sockets) socket.destroy();
    child.disconnect();
  }
  return costs;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
}

const ignore = (): void => undefined;
const UNWATCHED: Metrics = {
  registry: new Registry(),
  requestsInFlight: { value: 0 },
  connections: { value: 0 },
  certificateNotAfter: { value: 0 },
  draining: { value: 0 },
  recordAdmission: ignore,
  recordAnswer: ignore,
  recordReload: ignore,
};

/** What `jobguard serve` measures and logs with. */
function watching(): { metrics: Metrics; log: Logger } {
  const metrics = createMetrics(DEFAULT_POLICY, TEST_BUILD, STATUS_CODES);
  collectProcessMetrics(metrics.registry);
  const log = createLog({ level: 'info', format: 'json', write: lossyWriter(process.stderr, ignore).write });
  return { metrics, log };
}

async function serve(watched: string): Promise<void> {
  const silent = { metrics: UNWATCHED, log: createLog({ level: 'error', format: 'json', write: ignore }) };
  const server = await startTestServer(watched === 'on' ? watching() : silent);
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.once('disconnect', () => void server.end().then(() => process.exit()));
  process.send?.(server.endpoint);
}

if (import.meta.main) {
  const [watched] = process.argv.slice(2);
  if (watched !== undefined) await serve(watched);
  else process.stdout.write(`${JSON.stringify(await measureCosts(), null, 2)}\n`);
}
