/**
 * Shows the webhook at work: starts `jobguard serve` with a throw-away certificate, sends it two updates of a job as an
 * API server would, shows both answers and keeps serving until Ctrl-C, with commands to go on with.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';

import { parse } from 'yaml';

import { freePort } from '../tools/free-port.ts';
import { BUNDLE } from '../tools/jobguard-process.ts';

type Server = ChildProcessByStdio<null, Readable, Readable>;
type Job = Record<string, unknown>;

const JOB_FILE = join(import.meta.dirname, 'tfjob.yaml');

const [securePort, metricsPort] = [await freePort(), await freePort()];
const server = spawn(
  process.execPath,
  [
    ...[BUNDLE, 'serve', '--dev', '--bind-address', '127.0.0.1', '--log-format', 'text'],
    ...['--secure-port', String(securePort), '--metrics-port', String(metricsPort), '--shutdown-delay', '0s'],
  ],
  { stdio: ['ignore', 'pipe', 'pipe'] },
);
// Ctrl-C reaches the server too; this program ends when it has drained.
process.on('SIGINT', () => undefined);
const ended = once(server, 'exit');
await using remains = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'jobguard-run-'));
remains.defer(() => rm(folder, { recursive: true }));

const caFile = await started(server);
const ca = await readFile(caFile);
const job = parse(await readFile(JOB_FILE, 'utf8')) as Job;

await show(
  'A label is added: kubectl label tfjob mnist stage=eval',
  reviewOf(withValue(job, ['metadata', 'labels', 'stage'], 'eval')),
);
const denied = reviewOf(withValue(job, ['spec', 'tfReplicaSpecs', 'Worker', 'replicas'], 4));
await show('The number of workers is changed: kubectl patch tfjob mnist … replicas: 4', denied);

const reviewFile = join(folder, 'review.json');
await writeFile(reviewFile, `${JSON.stringify(denied, null, 2)}\n`);
console.log(`
The webhook keeps serving until you press Ctrl-C. Try these in another terminal.

Send the second update again. Edit the file to send another one:
  curl --silent --cacert ${caFile} -H 'Content-Type: application/json' -d @${reviewFile} https://localhost:${securePort}/validate

See what was counted:
  curl --silent http://localhost:${metricsPort}/metrics | grep jobguard_admission_requests_total

Judge an update without a webhook:
  ${process.execPath} ${BUNDLE} check ${JOB_FILE} --patch '{"spec": {"runPolicy": {"cleanPodPolicy": "All"}}}'

Next: make demo starts a Kubernetes with jobguard in it. docs/getting-started.md explains what you see there.
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

async function show(title: string, review: unknown): Promise<void> {
  console.log(`\n── ${title}\n`);
  console.log(JSON.stringify(await answerTo(review), null, 2));
}

/** Asks the webhook as an API server does. */
async function answerTo(review: unknown): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json' };
  const call = request({ host: 'localhost', port: securePort, path: '/validate', method: 'POST', ca, headers });
  const [response] = (await once(call.end(JSON.stringify(review)), 'response')) as [Readable];
  return json(response);
}

/** Returns what an API server sends about an update of the example job. */
function reviewOf(updated: Job): unknown {
  return {
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
  };
}

/** Returns a copy of a tree with one value set. */
function withValue(tree: unknown, [key, ...rest]: readonly string[], value: unknown): Job {
  const copy = { ...(tree as Job) };
  if (key !== undefined) copy[key] = rest.length === 0 ? value : withValue(copy[key], rest, value);
  return copy;
}
