import { globSync } from 'node:fs';
import type { Cluster } from '../../tools/node/cluster.ts';

/** Where the packages of Debian and of Fedora put it. */
const LIBRARY = '/usr/lib{,64}/{,*/}faketime/libfaketime.so.1';
const NAME = 'faketime';
const FOLDER = '/usr/lib/faketime';

/** Returns the file of a library by which a program takes it to be another time. */
export function faketimeLibrary(): string {
  const [found] = globSync(LIBRARY);
  if (found === undefined) throw new Error('not installed: libfaketime');
  return found;
}

/** Puts clocks into a namespace, each ahead by some hours, or behind where that is negative. */
export async function storeClocks(
  cluster: Cluster,
  namespace: string,
  clocks: Readonly<Record<string, number>>,
): Promise<void> {
  const values = Object.entries(clocks).map(([clock, hours]) => `--from-literal=${clock}=${offset(hours)}`);
  const files = [`--from-file=libfaketime.so.1=${faketimeLibrary()}`, ...values];
  await succeeding(cluster.kubectl(['--namespace', namespace, 'create', 'configmap', NAME, ...files]));
}

/** Sets one of them right; pods that have it take some seconds to learn of it. */
export async function setRight(cluster: Cluster, namespace: string, clock: string): Promise<void> {
  const patch = JSON.stringify({ data: { [clock]: offset(0) } });
  await succeeding(
    cluster.kubectl(['--namespace', namespace, 'patch', 'configmap', NAME, '--type=merge', '--patch', patch]),
  );
}

/** Returns the chart's values for pods that have one of these clocks. */
export function withClock(clock: string): object {
  return {
    extraEnv: [
      { name: 'LD_PRELOAD', value: `${FOLDER}/libfaketime.so.1` },
      { name: 'FAKETIME_TIMESTAMP_FILE', value: `${FOLDER}/${clock}` },
      { name: 'FAKETIME_CACHE_DURATION', value: '1' },
      // A clock that is off, or is set, does not change how long a second is.
      { name: 'FAKETIME_DONT_FAKE_MONOTONIC', value: '1' },
    ],
    extraVolumes: [{ name: NAME, configMap: { name: NAME } }],
    extraVolumeMounts: [{ name: NAME, mountPath: FOLDER, readOnly: true }],
  };
}

/** Returns by how much the clock of a pod is ahead of this machine's. */
export async function skewMs(cluster: Cluster, namespace: string, pod: string): Promise<number> {
  const time = ['exec', pod, '--', '/nodejs/bin/node', '--print', 'Date.now()'];
  return Number(await succeeding(cluster.kubectl(['--namespace', namespace, ...time]))) - Date.now();
}

function offset(hours: number): string {
  return `${hours < 0 ? '' : '+'}${hours}h`;
}

async function succeeding(finished: ReturnType<Cluster['kubectl']>): Promise<string> {
  const { code, stdout, stderr } = await finished;
  if (code !== 0) throw new Error(stderr);
  return stdout;
}
