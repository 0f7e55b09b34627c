import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { hostname } from 'node:os';
import { connect } from 'node:tls';

import { createDevCertificate } from '../../src/tls/dev-certificate.ts';
import { readKeyPair } from '../../src/tls/certificate.ts';
import { certificateInFiles } from '../../src/tls/certificate-reload.ts';
import { createAuthority, type Authority, type Issued } from '../../tools/certificates.ts';
import { eventually } from '../../tools/eventually.ts';
import { call, type Endpoint } from '../support/https-client.ts';
import { TF_JOB } from '../support/job.ts';
import { reviewText } from '../support/review.ts';
import { createSecretVolume, type SecretVolume } from '../support/secret-volume.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// Processes and certificates take their time on a busy machine.
jest.setTimeout(60_000);

const POLL_MS = 5;
const UNCHANGED = reviewText({ oldObject: TF_JOB, object: TF_JOB });

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority();
});

let undo = new AsyncDisposableStack();
afterEach(async () => {
  await undo.disposeAsync();
  undo = new AsyncDisposableStack();
});

interface Renewed extends SecretVolume {
  readonly server: TestServer;
  readonly endpoint: Endpoint;
}

/** Starts a server whose certificate comes from a Secret volume, and is called `first`. */
async function start(): Promise<Renewed> {
  const volume = undo.use(await createSecretVolume(await authority.issue('first')));
  const keyPair = await readKeyPair(volume, new Date());
  const server = undo.use(
    await startTestServer({ certificate: certificateInFiles(keyPair, volume, POLL_MS, () => new Date()) }),
  );
  return { ...volume, server, endpoint: { port: server.securePort, ca: authority.cert } };
}

/** Returns the name on the certificate that a new connection gets. */
async function servedName({ port, ca }: Endpoint): Promise<string | string[] | undefined> {
  const socket = connect({ host: '127.0.0.1', port, ca });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

async function serves(endpoint: Endpoint, name: string): Promise<void> {
  await eventually(
    `a certificate called ${name}`,
    async () => ((await servedName(endpoint)) === name ? true : undefined),
    {
      intervalMs: POLL_MS,
    },
  );
}

async function reloads({ metrics }: TestServer): Promise<Record<string, number>> {
  const text = await metrics.registry.getSingleMetricAsString('jobguard_certificate_reloads_total');
  return Object.fromEntries<number>(
    [...text.matchAll(/result="(\w+)"\} (\d+)/g)].map(([, result = '', count]) => [result, Number(count)]),
  );
}

describe('a renewed certificate', () => {
  test('is served to new connections, while open ones go on with the old', async () => {
    const { endpoint, server, replace } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await call(endpoint, { agent, body: UNCHANGED });
    await replace(await authority.issue('second', { toHours: 2 }));
    await serves(endpoint, 'second');
    expect((await call(endpoint, { agent, body: UNCHANGED })).status).toBe(200);
    expect(server.metrics.connections.value).toBeGreaterThan(0);
    agent.destroy();
    expect(await reloads(server)).toEqual({ success: 1, failure: 0 });
    const notAfter = server.metrics.certificateNotAfter.value;
    expect(Math.abs(notAfter - (Date.now() / 1000 + 7_200))).toBeLessThan(60);
  });

  test('does not fail a request, however often it changes under load', async () => {
    const { endpoint, server, replace } = await start();
    const names = Array.from({ length: 10 }, (_, index) => `swap-${index}`);
    const state = { isOver: false };
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const work = async (options: { agent?: Agent }): Promise<(number | undefined)[]> => {
      const codes = [];
      while (!state.isOver) codes.push((await call(endpoint, { ...options, body: UNCHANGED })).status);
      return codes;
    };
    const workers = [work({}), work({}), work({ agent }), work({ agent })];
    for (const name of names) {
      await replace(await authority.issue(name));
      await serves(endpoint, name);
    }
    state.isOver = true;
    const codes = (await Promise.all(workers)).flat();
    agent.destroy();
    expect(new Set(codes)).toEqual(new Set([200]));
    expect(codes.length).toBeGreaterThan(50);
    expect(await reloads(server)).toEqual({ success: names.length, failure: 0 });
  });

  test.each<{ what: string; make: (good: Issued, other: Issued) => Promise<Issued> | Issued; problem: RegExp }>([
    {
      what: 'with the key of another',
      make: (good, other) => ({ cert: good.cert, key: other.key }),
      problem: /^the key in \S+tls\.key does not belong to the certificate in \S+tls\.crt$/,
    },
    {
      what: 'that has expired',
      make: () => authority.issue('expired', { fromHours: -2, toHours: -1 }),
      problem: /^the certificate in \S+tls\.crt expired on \d{4}-/,
    },
    {
      what: 'that is not valid yet',
      make: () => authority.issue('early', { fromHours: 1, toHours: 2 }),
      problem: /^the certificate in \S+tls\.crt is not valid before \d{4}-/,
    },
    {
      what: 'that is cut off',
      make: ({ cert, key }) => ({ cert: cert.slice(0, -40), key }),
      problem: /^\S+tls\.crt contains no PEM certificate: /,
    },
    {
      what: 'whose key is cut off',
      make: ({ cert, key }) => ({ cert, key: key.slice(0, -40) }),
      problem: /^\S+tls\.key contains no unencrypted PEM private key: /,
    },
    {
      what: 'that is empty',
      make: ({ key }) => ({ cert: '', key }),
      problem: /^\S+tls\.crt contains no PEM certificate: /,
    },
    {
      what: 'whose chain is cut off',
      make: ({ cert, key }) => ({ cert: `${cert}\n${authority.cert.slice(0, -40)}`, key }),
      problem: /^\S+tls\.crt and \S+tls\.key cannot be used for TLS: /,
    },
  ])('$what is refused, and the good one serves on until there is a better', async ({ make, problem }) => {
    const { endpoint, server, replace } = await start();
    const bad = await make(await authority.issue('bad'), await authority.issue('other'));
    const refusedTwice = async (): Promise<void> => {
      const before = (await reloads(server))['failure'] ?? 0;
      await replace(bad);
      await eventually('two attempts', async () =>
        ((await reloads(server))['failure'] ?? 0) >= before + 2 ? true : undefined,
      );
    };
    await refusedTwice();
    expect(await servedName(endpoint)).toBe('first');
    expect((await call(endpoint, { body: UNCHANGED })).status).toBe(200);
    await replace(await authority.issue('second'));
    await serves(endpoint, 'second');
    await refusedTwice();

    const lines = server.log.filter((line) => !line.includes('"level":"debug"'));
    const time = expect.any(String);
    const refusal = {
      level: 'error',
      time,
      problem: expect.stringMatching(problem),
      msg: 'certificate rejected; still serving the previous certificate',
    };
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      refusal,
      { level: 'info', time, notAfter: expect.any(String), msg: 'certificate reloaded' },
      refusal,
    ]);
  });

  test('of which one file is written after the other is taken once both are there', async () => {
    const { endpoint, server, certFile, keyFile } = await start();
    const second = await authority.issue('second');
    await rm(certFile);
    await eventually('a refusal', async () => (((await reloads(server))['failure'] ?? 0) > 0 ? true : undefined));
    await writeFile(certFile, second.cert);
    const refused = (await reloads(server))['failure'] ?? 0;
    await eventually('another', async () => (((await reloads(server))['failure'] ?? 0) > refused ? true : undefined));
    expect(await servedName(endpoint)).toBe('first');
    await rm(keyFile);
    await writeFile(keyFile, second.key);
    await serves(endpoint, 'second');
  });
});

describe('a throw-away certificate', () => {
  test('is its own CA, for this machine and a week', async () => {
    const now = new Date();
    const { cert, key, notAfter } = await createDevCertificate(now);
    const certificate = new X509Certificate(cert);
    expect({
      isCa: certificate.ca,
      isSelfSigned: certificate.verify(certificate.publicKey),
      hasKey: certificate.checkPrivateKey(createPrivateKey(key)),
      keyDetails: certificate.publicKey.asymmetricKeyDetails,
      hosts: ['localhost', 'host.docker.internal', 'host.minikube.internal', hostname()].map((name) =>
        certificate.checkHost(name),
      ),
      ips: ['127.0.0.1', '::1', '127.0.0.2'].map((ip) => certificate.checkIP(ip)),
      days: (notAfter.getTime() - now.getTime()) / 86_400_000,
    }).toEqual({
      isCa: true,
      isSelfSigned: true,
      hasKey: true,
      keyDetails: { namedCurve: 'prime256v1' },
      hosts: ['localhost', 'host.docker.internal', 'host.minikube.internal', hostname()],
      ips: ['127.0.0.1', '::1', undefined],
      days: 7,
    });
  });
});
