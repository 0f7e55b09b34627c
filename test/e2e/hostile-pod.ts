import type { Cluster } from '../../tools/node/cluster.ts';
import { IMAGE } from '../../tools/node/jobguard-archive.ts';
import { at } from '../../tools/json-at.ts';
import type { Release } from './release.ts';

const NAME = 'hostile';

/** Sends, one after another and again and again, what no API server sends, and counts the answers by their codes. */
const PROGRAM = `
const https = require('node:https');
const headers = { 'content-type': 'application/json' };
const bodies = [
  '', 'null', '{', 'not JSON', '\\ud800', '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
  '['.repeat(100_000), '{"a":'.repeat(100_000), '[' + '1,'.repeat(400_000) + '1]', '"' + 'x'.repeat(1 << 20) + '"',
  '{"' + 'k'.repeat(1 << 20) + '":' + '9'.repeat(1 << 20) + '}', ' '.repeat(17 << 20),
];
const post = (body) => new Promise((resolve) => {
  const request = https.request(
    { host: process.argv[1], port: 443, path: '/validate', method: 'POST', headers, rejectUnauthorized: false },
    (response) => response.resume().on('close', () => resolve(response.statusCode)),
  );
  request.on('error', ({ code }) => resolve(code)).end(body);
});
(async () => {
  for (const counts = {}; ; ) {
    for (const body of bodies) {
      const outcome = await post(body);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      // The pace of the barrage; the node has two cores for everything.
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    console.log(JSON.stringify(counts));
  }
})();
`;

/** A pod that sends hostile bodies to a release until it is disposed of. */
export interface HostilePod extends AsyncDisposable {
  /** Returns how often it was answered, by code, as JSON. */
  counts: () => Promise<string>;
}

/** Starts a pod in the release's namespace. */
export async function startHostilePod(cluster: Cluster, { name, namespace }: Release): Promise<HostilePod> {
  const service = await cluster.request('GET', `/api/v1/namespaces/${namespace}/services/${name}`);
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const created = await cluster.request('POST', pods, { body: pod(String(at(service.json, 'spec', 'clusterIP'))) });
  if (created.status !== 201) throw new Error(`The hostile pod could not be created: ${created.text}`);
  return {
    counts: async () => (await cluster.kubectl(['--namespace', namespace, 'logs', NAME, '--tail=1'])).stdout.trim(),
    [Symbol.asyncDispose]: async () => {
      await cluster.request('DELETE', `${pods}/${NAME}?gracePeriodSeconds=1`);
    },
  };
}

function pod(address: string): object {
  const { registry, repository, tag } = IMAGE;
  const container = {
    name: NAME,
    image: `${registry}/${repository}:${tag}`,
    imagePullPolicy: 'IfNotPresent',
    command: ['/nodejs/bin/node', '--eval', PROGRAM, address],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: NAME },
    spec: { automountServiceAccountToken: false, containers: [container] },
  };
}
