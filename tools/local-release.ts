import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from './certificates.ts';
import type { ControlPlane } from './kubernetes/control-plane.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { objectOf, policyText, renderObjects, type Manifest, type Render } from './helm.ts';
import { startJobguard, type JobguardProcess } from './jobguard-process.ts';
import { at } from './json-at.ts';

/** A release of the chart that registers a process of this machine in place of its pods. */
export interface LocalRelease extends AsyncDisposable {
  readonly jobguard: JobguardProcess;
  readonly objects: readonly Manifest[];
}

/** How its process can be watched. */
export interface Watched {
  /** Its plain port; none by default. */
  readonly metricsPort?: number;
  readonly logFile?: string;
}

/** Starts jobguard with the flags and the policy that the chart renders, and registers it as the chart does. */
export async function startLocalRelease(
  cluster: ControlPlane,
  render: Render = {},
  { metricsPort = 0, logFile }: Watched = {},
): Promise<LocalRelease> {
  await using undo = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-release-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const authority = await createAuthority();
  const { cert, key } = await authority.issue('jobguard');
  const port = await freePort();
  const tls = { mode: 'existingSecret', existingSecret: { name: 'of-this-machine', caBundle: authority.cert } };
  const objects = await renderObjects({
    ...render,
    flags: [
      ...['--set-json', `tls=${JSON.stringify(tls)}`],
      ...['--set', `webhook.port=${port}`, '--set', `webhook.url=https://127.0.0.1:${port}/validate`],
    ],
  });

  await writeFile(join(folder, 'tls.crt'), cert);
  await writeFile(join(folder, 'tls.key'), key);
  await writeFile(join(folder, 'policy.yaml'), policyText(objects));
  const flags = programFlags(objects).map((flag) => flag.replace(/\/etc\/jobguard\/(policy|tls)/, folder));
  const jobguard = undo.use(await startJobguard([...flags, `--metrics-port=${metricsPort}`], { logFile }));
  await register(cluster, objectOf(objects, 'ValidatingWebhookConfiguration'), jobguard);
  const running = undo.move();
  return { jobguard, objects, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The flags of `jobguard serve` in the pods. */
function programFlags(objects: readonly Manifest[]): string[] {
  const args = at(objectOf(objects, 'Deployment'), 'spec', 'template', 'spec', 'containers', 0, 'args');
  const [command, ...flags] = Array.isArray(args) ? args.map(String) : [];
  if (command !== 'serve') throw new Error('The pods do not run `jobguard serve`');
  return flags;
}

/** A job whose forbidden update, never stored, shows whether the webhook is in force. */
const PROBE = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'TFJob',
  metadata: { name: 'release-probe', namespace: 'default' },
  spec: {
    tfReplicaSpecs: {
      Worker: { replicas: 1, template: { spec: { containers: [{ name: 'tensorflow', image: 'probe:v1' }] } } },
    },
  },
};
const PROBES = '/apis/kubeflow.org/v1/namespaces/default/tfjobs';

async function register(cluster: ControlPlane, configuration: Manifest, jobguard: JobguardProcess): Promise<void> {
  const applied = await cluster.kubectl(['apply', '--server-side', '--filename=-'], {
    stdin: JSON.stringify(configuration),
  });
  if (applied.code !== 0) throw new Error(`The webhook could not be registered: ${applied.stderr}`);
  await cluster.request('POST', PROBES, { body: PROBE });
  await eventually('the webhook to be in force', async () => {
    await cluster.request('PATCH', `${PROBES}/${PROBE.metadata.name}?dryRun=All`, {
      contentType: 'application/merge-patch+json',
      body: { metadata: { finalizers: ['jobguard.dev/probe'] } },
    });
    // In whatever mode, jobguard logs what it would refuse.
    return jobguard.stderr().includes(PROBE.metadata.name) ? true : undefined;
  });
}
