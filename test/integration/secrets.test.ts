import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';

import { createLog } from '../../src/telemetry/log.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { createAuthority } from '../../tools/certificates.ts';
import { freePort } from '../../tools/free-port.ts';
import { call, type Endpoint } from '../support/https-client.ts';
import { at } from '../../tools/json-at.ts';
import { startJobguard, type JobguardProcess } from '../../tools/jobguard-process.ts';
import { reviewText } from '../support/review.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

jest.setTimeout(180_000);

const JOBS = 1_000;
const SEED = 20_261_123;

/** What every secret begins with, a word or a number; what follows makes each of them unique. */
const SECRET = /s3cr3t|770077\d{9}/;

const POLICY = `apiVersion: jobguard/v1
kind: UpdatePolicy
namespaceModes:
  - { namespaces: [warned], mode: warn }
  - { namespaces: [audited], mode: audit }
presets: { kueue: true }
exemptions:
  - { name: platform, usernames: [platform], paths: [/spec] }
allowBroadPaths: true
`;

let planted = 0;
const word = (): string => `s3cr3t-${(planted += 1)}`;
const number = (): number => 770_077_000_000_000 + (planted += 1);

/** A job that is full of secrets, each another one at each call. */
function job({ replicaSpecs, roles, containers, annotations, hasNumbers }: Shape): object {
  const container = (index: number): object => ({
    name: `c${index}`,
    image: 'train:v1',
    command: ['sh', '-c', `login ${word()}`],
    args: [`--token=${word()}`, word(), ...(hasNumbers ? [number()] : [])],
    env: [
      { name: 'TOKEN', value: word() },
      { name: 'PIN', value: hasNumbers ? number() : word() },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: word(), key: word() } } },
    ],
    envFrom: [{ prefix: word(), secretRef: { name: word() } }],
    lifecycle: { preStop: { exec: { command: [word()] } } },
    livenessProbe: { httpGet: { path: `/?token=${word()}`, httpHeaders: [{ name: 'Authorization', value: word() }] } },
    volumeMounts: [{ name: 'data', mountPath: `/${word()}`, subPath: word() }],
  });
  const template = (): object => ({
    metadata: { annotations: notes(annotations) },
    spec: {
      containers: Array.from({ length: containers }, (_, index) => container(index)),
      initContainers: [container(9)],
      volumes: [
        {
          name: 'data',
          csi: { driver: 'd', volumeAttributes: { token: word() }, nodePublishSecretRef: { name: word() } },
        },
        { name: 'share', nfs: { server: word(), path: `/${word()}` } },
        { name: 'file', configMap: { name: word(), items: [{ key: word(), path: word() }] } },
      ],
      imagePullSecrets: [{ name: word() }],
    },
  });
  return {
    apiVersion: 'kubeflow.org/v1',
    metadata: { name: 'mnist', annotations: notes(annotations) },
    spec: {
      runPolicy: { cleanPodPolicy: word(), schedulingPolicy: { queue: word() } },
      [replicaSpecs]: Object.fromEntries(roles.map((role) => [role, { replicas: 1, template: template() }])),
    },
  };
}

function notes(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`example.com/note-${index}`, word()]));
}

interface Shape {
  readonly replicaSpecs: string;
  readonly roles: readonly string[];
  readonly containers: number;
  readonly annotations: number;
  readonly hasNumbers: boolean;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  replicaSpecs: fc.constantFrom('tfReplicaSpecs', 'pytorchReplicaSpecs'),
  roles: fc.subarray(['Worker', 'PS', 'Chief', 'Master'], { minLength: 1 }),
  containers: fc.integer({ min: 1, max: 3 }),
  annotations: fc.integer({ min: 0, max: 4 }),
  hasNumbers: fc.boolean(),
});

/** How the new job comes about: all of it another one, only what anybody may change, or something that is no job. */
type Change = 'everything' | 'annotations' | 'shape' | 'nothing' | 'no object' | 'broken text';

const review: fc.Arbitrary<string> = fc
  .record({
    before: shape,
    after: shape,
    change: fc.constantFrom<Change>(
      'everything',
      'everything',
      'annotations',
      'shape',
      'nothing',
      'no object',
      'broken text',
    ),
    namespace: fc.constantFrom('enforced', 'warned', 'audited'),
    username: fc.constantFrom(
      'jane',
      'jane',
      'platform',
      'system:serviceaccount:kueue-system:kueue-controller-manager',
    ),
    operation: fc.constantFrom('UPDATE', 'UPDATE', 'UPDATE', 'UPDATE', 'UPDATE', 'CREATE'),
    subResource: fc.constantFrom('', '', '', '', '', 'scale', 'exec'),
  })
  .map(({ before, after, change, ...of }) => {
    const oldObject = job(before);
    const resource = before.replicaSpecs === 'tfReplicaSpecs' ? 'tfjobs' : 'pytorchjobs';
    const text = reviewText({ ...of, resource, oldObject, object: changed(oldObject, before, after, change) });
    return change === 'broken text' ? text.slice(0, -30) : text;
  });

function changed(old: object, before: Shape, after: Shape, change: Change): unknown {
  switch (change) {
    case 'everything':
      return job(before);
    case 'annotations':
      return { ...old, metadata: { name: 'mnist', annotations: notes(3), labels: { token: word() } } };
    case 'shape':
    case 'broken text':
      return job(after);
    case 'nothing':
      return old;
    case 'no object':
      return [job(before)];
  }
}

async function sendAll(endpoint: Endpoint, bodies: readonly string[]): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const answers: string[] = [];
  for (const body of bodies) {
    const { headers, text } = await call(endpoint, { body, agent });
    answers.push(`${JSON.stringify(headers)} ${text}`);
  }
  agent.destroy();
  return answers;
}

/** The places in texts where a secret stands, with what is around it. */
function leaks(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    const place = text.search(SECRET);
    return place === -1 ? [] : [text.slice(Math.max(0, place - 60), place + 60)];
  });
}

describe(`of the secrets in ${JOBS} random jobs none is in what jobguard says`, () => {
  const bodies = fc.sample(review, { numRuns: JOBS, seed: SEED });
  let folder: string;
  let jsonServer: JobguardProcess;
  let textServer: TestServer;
  const textLog: string[] = [];
  let answers: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jobguard-secrets-'));
    const authority = await createAuthority();
    const { cert, key } = await authority.issue('jobguard');
    const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), policy: join(folder, 'policy.yaml') };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    await writeFile(files.policy, POLICY);
    jsonServer = await startJobguard([
      ...['--tls-cert-file', files.cert, '--tls-private-key-file', files.key, '--policy', files.policy],
      ...['--metrics-port', String(await freePort()), '--log-level', 'debug'],
    ]);
    const log = createLog({ level: 'debug', format: 'text', write: (line) => textLog.push(line) });
    textServer = await startTestServer({ log, policy: loadPolicy(POLICY) });
    answers = await sendAll({ port: jsonServer.securePort, ca: authority.cert }, bodies);
    answers.push(...(await sendAll(textServer.endpoint, bodies)));
  });
  afterAll(async () => {
    await jsonServer[Symbol.asyncDispose]();
    await textServer.end();
    await rm(folder, { recursive: true });
  });

  test('though each job has dozens, and they are denied, warned of, exempted, allowed and refused', () => {
    expect(bodies.filter((body) => SECRET.test(body))).toHaveLength(JOBS);
    expect(planted).toBeGreaterThan(30 * JOBS);
    const outcomes = new Map<unknown, number>();
    for (const answer of answers) {
      const said: unknown = JSON.parse(answer.slice(answer.indexOf('} {') + 2));
      const outcome = at(said, 'response', 'auditAnnotations', 'decision') ?? at(said, 'reason');
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    for (const outcome of ['allow', 'deny', 'exempt', 'unjudgeable', 'out_of_scope', 'BadRequest']) {
      expect([outcome, outcomes.get(outcome)]).toEqual([outcome, expect.any(Number)]);
    }
    expect(answers.filter((answer) => answer.includes('"causes"')).length).toBeGreaterThan(100);
    expect(answers.filter((answer) => answer.includes('"warnings"')).length).toBeGreaterThan(100);
    expect(answers.filter((answer) => answer.includes('"denied-paths"')).length).toBeGreaterThan(100);
  });

  test('no answer: no message, cause, warning or audit annotation', () => {
    expect(leaks(answers)).toEqual([]);
  });

  test('no line of the log, in JSON or as text', () => {
    expect(jsonServer.stderr().split('\n').length).toBeGreaterThan(JOBS);
    expect(textLog.length).toBeGreaterThanOrEqual(JOBS);
    expect(leaks([...jsonServer.stderr().split('\n'), jsonServer.stdout(), ...textLog])).toEqual([]);
  });

  test('no metric', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${jsonServer.metricsPort}/metrics`)).text();
    expect(metrics).toContain('jobguard_denied_changes_total{resource="tfjobs",field="env"}');
    expect(leaks([metrics, await textServer.metrics.registry.metrics()])).toEqual([]);
  });

  test('and a secret would be found', () => {
    expect(leaks(['a'.repeat(100), `${'b'.repeat(100)}${word()}`, String(number())])).toHaveLength(2);
  });
});
