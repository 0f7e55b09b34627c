/**
 * Shows the webhook at work: starts `jobguard serve` with a throw-away certificate, sends it two updates of a job as an
 * API server would, shows both answers and keeps serving until Ctrl-C.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';

import { parse } from 'yaml';

type Server = ChildProcessByStdio<null, Readable, Readable>;
type Job = Record<string, unknown>;

const folder = import.meta.dirname;
const [securePort, metricsPort] = [await freePort(), await freePort()];
const server = spawn(
  process.execPath,
  [
    ...[`${folder}/../dist/jobguard.js`, 'serve', '--dev', '--bind-address', '127.0.0.1', '--log-format', 'text'],
    ...['--secure-port', String(securePort), '--metrics-port', String(metricsPort), '--shutdown-delay', '0s'],
  ],
  { stdio: ['ignore', 'pipe', 'pipe'] },
);
// Ctrl-C reaches the server too; this program ends when it has drained.
process.on('SIGINT', () => undefined);
const ended = once(server, 'exit');

const caFile = await started(server);
const ca = await readFile(caFile);
const job = parse(await readFile(`${folder}/tfjob.yaml`, 'utf8')) as Job;

await show(
  'A label is added: kubectl label tfjob mnist stage=eval',
  withValue(job, ['metadata', 'labels', 'stage'], 'eval'),
);
await show(
  'The number of workers is changed: kubectl patch tfjob mnist … replicas: 4',
  withValue(job, ['spec', 'tfReplicaSpecs', 'Worker', 'replicas'], 4),
);
console.log(`
The webhook keeps serving. Press Ctrl-C to stop it.
  updates:  curl --cacert ${caFile} -H 'Content-Type: application/json' -d @review.json https://localhost:${securePort}/validate
  metrics:  curl http://localhost:${metricsPort}/metrics
`);
await ended;

/** Passes the server's log on and resolves with the CA's file once it serves. */
async function started({ stdout, stderr }: Server): Promise<string> {
  const found = Promise.withResolvers<string>();
  const serving = Promise.withResolvers<undefined>();
  createInterface(stdout).on('line', (line) => found.resolve(line.replace('CA certificate: ', '')));
  createInterface(stderr).on('line', (line) => {
    console.error(line);
    if (line.includes(' serving ')) serving.resolve(undefined);
  });
  const failed = ended.then(() => Promise.reject(new Error('the server did not start')));
  return Promise.race([failed, serving.promise.then(() => found.promise)]);
}

async function show(title: string, updated: Job): Promise<void> {
  console.log(`\n── ${title}\n`);
  console.log(JSON.stringify(await review(updated), null, 2));
}

/** Asks the webhook about an update of the example job, in the words of an API server. */
async function review(updated: Job): Promise<unknown> {
  const body = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: crypto.randomUUID(),
      kind: { group: 'kubeflow.org', version: 'v1', kind: 'TFJob' },
      resource: { group: 'kubeflow.org', version: 'v1', resource: 'tfjobs' },
      name: 'mnist',
      namespace: 'training',
      operation: 'UPDATE',
      userInfo: { username: 'you', groups: ['system:authenticated'] },
      object: updated,
      oldObject: job,
    },
  });
  const headers = { 'Content-Type': 'application/json' };
  const call = request({ host: 'localhost', port: securePort, path: '/validate', method: 'POST', ca, headers }).end(
    body,
  );
  const [response] = (await once(call, 'response')) as [Readable];
  return json(response);
}

/** Returns a copy of a tree with one value set. */
function withValue(tree: unknown, [key, ...rest]: readonly string[], value: unknown): Job {
  const copy = { ...(tree as Job) };
  if (key !== undefined) copy[key] = rest.length === 0 ? value : withValue(copy[key], rest, value);
  return copy;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
