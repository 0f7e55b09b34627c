import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';

import { createAuthority } from '../../tools/certificates.ts';
import { freePort } from '../../tools/free-port.ts';
import { call, type Call, type Endpoint } from '../support/https-client.ts';
import { startJobguard } from '../../tools/jobguard-process.ts';
import { grow, reviewText, scenarios, type JobName } from '../support/random-reviews.ts';

jest.setTimeout(600_000);

const SEED = 20_261_123;

const JOBS: readonly JobName[] = [
  'small TFJob',
  'known TFJob',
  'known PyTorchJob',
  'rich PyTorchJob',
  'MPIJob',
  'TrainJob',
];

/** Names as anybody may choose them; none may become a label. */
const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uuid(),
  fc.constantFrom('', '"}\n', '__proto__'),
);

const rarely = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string | null> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

/** A review of a random update, under random names and mostly of a guarded resource. */
const review: fc.Arbitrary<Call> = fc
  .record({
    scenario: scenarios(JOBS),
    names: fc.tuple(anyName, anyName, anyName),
    resource: rarely(anyName),
    subResource: rarely(anyName),
    operation: rarely(anyName),
    dryRun: fc.boolean(),
  })
  .map(({ scenario, names: [name, namespace, username], resource, subResource, operation, dryRun }) => {
    const swaps: [from: string, to: string | null][] = [
      ['"name":"mnist"', `"name":${JSON.stringify(name)}`],
      ['"namespace":"research"', `"namespace":${JSON.stringify(namespace)}`],
      ['"username":"jane"', `"username":${JSON.stringify(username)}`],
      ['"dryRun":false', `"dryRun":${dryRun}`],
      ['"resource":"tfjobs"', resource === null ? null : `"resource":${JSON.stringify(resource)}`],
      ['"operation":"UPDATE"', operation === null ? null : `"operation":${JSON.stringify(operation)}`],
      ['"operation":', subResource === null ? null : `"subResource":${JSON.stringify(subResource)},"operation":`],
    ];
    const text = reviewText(scenario, grow(scenario));
    return { body: swaps.reduce((body, [from, to]) => (to === null ? body : body.replace(from, () => to)), text) };
  });

/** Anything else that reaches the port. */
const noise: fc.Arbitrary<Call> = fc.record({
  method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
  path: fc.oneof(
    fc.constantFrom('/validate', '/validate', '/metrics', '/'),
    fc.webPath().map((path) => `/${path}`),
  ),
  headers: fc.record({
    'content-type': fc.constantFrom('application/json', 'text/plain', 'application/json; charset=x'),
  }),
  body: fc.oneof(fc.string(), fc.json(), fc.constant('{"apiVersion":"admission.k8s.io/v1"}')),
});

let undo = new AsyncDisposableStack();
afterEach(async () => {
  await undo.disposeAsync();
  undo = new AsyncDisposableStack();
});

interface Watched {
  readonly endpoint: Endpoint;
  /** The names of all series, with their labels. */
  readonly series: () => Promise<string[]>;
}

async function start(policy: string): Promise<Watched> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-series-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const authority = await createAuthority();
  const { cert, key } = await authority.issue('jobguard');
  for (const [name, text] of [
    ['tls.crt', cert],
    ['tls.key', key],
    ['policy.yaml', policy],
  ] as const) {
    await writeFile(join(folder, name), text);
  }
  const jobguard = undo.use(
    await startJobguard([
      ...['--tls-cert-file', join(folder, 'tls.crt'), '--tls-private-key-file', join(folder, 'tls.key')],
      ...['--policy', join(folder, 'policy.yaml'), '--metrics-port', String(await freePort())],
    ]),
  );
  const series = async (): Promise<string[]> => {
    const response = await fetch(`http://127.0.0.1:${jobguard.metricsPort}/metrics`);
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
  };
  return { endpoint: { port: jobguard.securePort, ca: authority.cert }, series };
}

async function sendAll(endpoint: Endpoint, calls: readonly Call[]): Promise<Map<number | undefined, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const statuses = new Map<number | undefined, number>();
  const queue = calls.values();
  const sender = async (): Promise<void> => {
    for (const { headers, body = '', ...rest } of queue) {
      // Without it Node's client sends the body of an OPTIONS as if it were the next request.
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const { status } = await call(endpoint, { ...rest, headers: { ...headers, ...length }, body, agent });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 4 }, sender));
  agent.destroy();
  return statuses;
}

const own = (series: readonly string[]): string[] => series.filter((name) => name.startsWith('jobguard_'));

const HEAD = 'apiVersion: jobguard/v1\nkind: UpdatePolicy\n';
const KINDS = ['tfjobs', 'pytorchjobs', 'mpijobs', 'xgboostjobs', 'paddlejobs', 'jaxjobs'];
const resources = (kinds: readonly string[]): string =>
  `resources:\n${kinds.map((kind) => `  - { group: kubeflow.org, resource: ${kind} }\n`).join('')}`;

describe('a pod has a bounded number of series, all of its own from the start', () => {
  test.each([
    { what: 'with the default policy', most: 260, policy: HEAD, requests: 10_000 },
    { what: 'with all six kinds of Kubeflow', most: 450, policy: HEAD + resources(KINDS), requests: 1_000 },
    {
      what: 'with two kinds in all three modes, and every preset',
      most: 300,
      requests: 1_000,
      policy: `${HEAD}namespaceModes:
  - { namespaces: ["a*"], mode: warn }
  - { namespaces: ["b*"], mode: audit }
presets: { kueue: true, horizontalPodAutoscaler: true, flyte: true }\n`,
    },
  ])('at most $most $what, after $requests random requests', async ({ most, policy, requests }) => {
    const { endpoint, series } = await start(policy);
    const before = await series();
    const arbitrary = fc.oneof({ weight: 9, arbitrary: review }, { weight: 1, arbitrary: noise });
    const statuses = await sendAll(endpoint, fc.sample(arbitrary, { numRuns: requests, seed: SEED }));
    const after = await series();
    expect(statuses.get(200)).toBeGreaterThan(requests * 0.8);
    expect([...statuses.keys()].sort()).toEqual([200, 400, 404, 405, 415]);
    expect(own(after)).toEqual(own(before));
    expect(new Set(after).size).toBe(after.length);
    expect(after.length).toBeLessThanOrEqual(most);
  });
});
