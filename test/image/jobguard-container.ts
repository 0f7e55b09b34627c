import { randomInt } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GenericContainer, Wait } from 'testcontainers';
import { createAuthority, type Authority } from '../../tools/certificates.ts';
import { run } from '../../tools/child-process.ts';
import { docker, inspect } from '../../tools/image/docker.ts';
import type { Endpoint } from '../support/https-client.ts';
import { createSecretVolume, type SecretVolume } from '../support/secret-volume.ts';
import { prepared } from './layer.ts';
import { IMAGE } from './setup.ts';

/** A `jobguard serve` in a container, with a certificate called `first` out of a mounted Secret volume. */
export interface JobguardContainer extends AsyncDisposable {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly metricsPort: number;
  readonly authority: Authority;
  readonly secret: SecretVolume;
  /** Everything that it wrote to stdout and stderr. */
  logs: () => Promise<string>;
  /** Runs a line of JavaScript beside it, as the same user and under the same limits, and returns what it prints. */
  evaluate: (line: string) => Promise<string>;
  /** Sends SIGTERM and, a minute later, SIGKILL; returns how the container ended. */
  stop: () => Promise<{ exitCode: unknown; isKilledForMemory: unknown }>;
}

const SECURE_PORT = 10_250;
const METRICS_PORT = 8_080;
const CERTIFICATES = '/etc/jobguard/tls';
export const NODE = '/nodejs/bin/node';

/** Any user that an administrator of the cluster may choose, and OpenShift does so at random. */
export function anyUser(): string {
  return String(randomInt(1_000_000_000, 2_000_000_000));
}

/** A container with the limits of the chart's pod: a user of no account, no capability, nothing to write on, little memory. */
class RestrictedContainer extends GenericContainer {
  constructor(image: string, memoryMiB: number) {
    super(image);
    this.withUser(anyUser()).withExposedPorts(SECURE_PORT, METRICS_PORT);
    const loopback = [{ HostIp: '127.0.0.1', HostPort: '0' }];
    this.hostConfig = {
      ...this.hostConfig,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Memory: memoryMiB * 1024 * 1024,
      MemorySwap: memoryMiB * 1024 * 1024,
      PortBindings: { [`${SECURE_PORT}/tcp`]: loopback, [`${METRICS_PORT}/tcp`]: loopback },
    };
  }
}

export interface ContainerOptions {
  readonly flags?: readonly string[];
  /** Less than half of the chart's limit, unless a test is about memory. */
  readonly memoryMiB?: number;
}

/** Starts the image and returns when it serves. */
export async function startContainer({
  flags = [],
  memoryMiB = 192,
}: ContainerOptions = {}): Promise<JobguardContainer> {
  const authority = await createAuthority();
  const secret = await createSecretVolume(await authority.issue('first'));
  const folder = dirname(secret.certFile);
  await chmod(folder, 0o755);
  const container = await new RestrictedContainer(prepared(IMAGE), memoryMiB)
    .withBindMounts([{ source: folder, target: CERTIFICATES, mode: 'ro' }])
    .withCommand([
      'serve',
      ...['--tls-cert-file', `${CERTIFICATES}/tls.crt`, '--tls-private-key-file', `${CERTIFICATES}/tls.key`],
      ...flags,
    ])
    .withWaitStrategy(Wait.forLogMessage('"msg":"serving"'))
    .start();
  const id = container.getId();
  return {
    id,
    authority,
    secret,
    endpoint: { port: container.getMappedPort(SECURE_PORT), ca: authority.cert },
    metricsPort: container.getMappedPort(METRICS_PORT),
    logs: async () => {
      const { stdout, stderr } = await run('docker', ['logs', id]);
      return stdout + stderr;
    },
    evaluate: (line) => docker('exec', id, NODE, '--print', line),
    stop: async () => {
      await docker('stop', '--time', '60', id);
      const [exitCode, isKilledForMemory] = [
        await inspect(id, 'State', 'ExitCode'),
        await inspect(id, 'State', 'OOMKilled'),
      ];
      return { exitCode, isKilledForMemory };
    },
    [Symbol.asyncDispose]: async () => {
      await container.stop();
      await secret[Symbol.asyncDispose]();
    },
  };
}
