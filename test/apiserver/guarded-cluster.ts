import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createAuthority } from '../../tools/certificates.ts';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import type { Generation } from '../../tools/kubernetes/crds.ts';
import { startJobguard, type JobguardProcess } from '../../tools/jobguard-process.ts';

/** The name under which the API server quotes jobguard. */
export const WEBHOOK_NAME = 'jobs.jobguard.test';

/** A control plane whose jobs a running jobguard guards. */
export interface GuardedCluster extends ControlPlane {
  readonly jobguard: JobguardProcess;
}

/** Starts a control plane and a jobguard with a policy, by default its own, and registers the one with the other. */
export async function startGuardedCluster(generation: Generation, policy?: string): Promise<GuardedCluster> {
  await using undo = new AsyncDisposableStack();
  const controlPlane = await startControlPlane(generation);
  undo.defer(controlPlane.stop);
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-serve-'));
  undo.defer(() => rm(folder, { recursive: true }));

  const authority = await createAuthority();
  const { cert, key } = await authority.issue('jobguard');
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), policy: join(folder, 'policy.yaml') };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  await writeFile(files.policy, policy ?? '');
  const jobguard = undo.use(
    await startJobguard([
      ...['--tls-cert-file', files.cert, '--tls-private-key-file', files.key],
      ...['--metrics-port', '0', '--shutdown-delay', '0s'],
      ...(policy === undefined ? [] : ['--policy', files.policy]),
    ]),
  );
  await controlPlane.register({
    name: WEBHOOK_NAME,
    port: jobguard.securePort,
    caPem: authority.cert,
    failurePolicy: 'Fail',
  });
  const running = undo.move();
  return { ...controlPlane, jobguard, stop: () => running.disposeAsync() };
}
