import { globSync } from 'node:fs';
import type { Cluster } from '../cluster/cluster.ts';

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

/** Puts the library into a namespace, for pods to mount. */
export async function storeFaketime(cluster: Cluster, namespace: string): Promise<void> {
  const file = `--from-file=libfaketime.so.1=${faketimeLibrary()}`;
  const { code, stderr } = await cluster.kubectl(['--namespace', namespace, 'create', 'configmap', NAME, file]);
  if (code !== 0) throw new Error(stderr);
}

/** Returns the chart's values for pods whose clock is ahead by some hours, or behind where that is negative. */
export function skewedBy(hours: number): object {
  return {
    extraEnv: [
      { name: 'LD_PRELOAD', value: `${FOLDER}/libfaketime.so.1` },
      { name: 'FAKETIME', value: `${hours < 0 ? '' : '+'}${hours}h` },
      // A clock that is off still goes on evenly.
      { name: 'FAKETIME_DONT_FAKE_MONOTONIC', value: '1' },
    ],
    extraVolumes: [{ name: NAME, configMap: { name: NAME } }],
    extraVolumeMounts: [{ name: NAME, mountPath: FOLDER, readOnly: true }],
  };
}
