import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createAuthority } from '../../tools/certificates.ts';
import { startControlPlane, type Answer, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { startJobguard } from '../../tools/jobguard-process.ts';
import { WEBHOOK_NAME } from './guarded-cluster.ts';

/** A control plane of which each policy has namespaces of its own. */
export interface PolicedCluster extends ControlPlane {
  /** Starts a jobguard with a policy, makes the namespaces, and has every update of a job in them judged by it. */
  guard: (policy: string, namespaces: readonly string[]) => Promise<void>;
  /** Returns what jobguard noted about a request in the audit log, without its own name before the keys. */
  noted: (answer: Answer) => Promise<Record<string, unknown>>;
}

/** Starts a control plane with the kinds of training-operator 1.9. */
export async function startPolicedCluster(): Promise<PolicedCluster> {
  await using undo = new AsyncDisposableStack();
  const controlPlane = await startControlPlane('training-operator 1.9');
  undo.defer(controlPlane.stop);
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-policies-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const authority = await createAuthority();
  const { cert, key } = await authority.issue('jobguard');
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  const running = undo.move();

  const guard: PolicedCluster['guard'] = async (policy, namespaces) => {
    const [name = ''] = namespaces;
    const file = join(folder, `${name}.yaml`);
    await writeFile(file, policy);
    const jobguard = running.use(
      await startJobguard([
        ...['--tls-cert-file', files.cert, '--tls-private-key-file', files.key, '--policy', file],
        ...['--metrics-port', '0', '--shutdown-delay', '0s', '--log-level', 'debug'],
      ]),
    );
    for (const namespace of namespaces) await post(controlPlane, '/api/v1/namespaces', namespaceNamed(namespace));
    await post(
      controlPlane,
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
      webhookConfiguration(name, namespaces, jobguard.securePort, authority.cert),
    );
    await judging(controlPlane, name, jobguard.stderr);
  };
  const noted: PolicedCluster['noted'] = async (answer) => {
    const prefix = `${WEBHOOK_NAME}/`;
    const annotations = Object.entries((await controlPlane.auditAnnotations(answer)) ?? {});
    return Object.fromEntries(
      annotations.flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
    );
  };
  return { ...controlPlane, guard, noted, stop: () => running.disposeAsync() };
}

async function post(cluster: ControlPlane, path: string, body: unknown): Promise<void> {
  const answer = await cluster.request('POST', path, { body });
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.text}`);
}

/** Waits until a jobguard is asked about updates in a namespace. */
async function judging(cluster: ControlPlane, namespace: string, log: () => string): Promise<void> {
  const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  await post(cluster, jobs, PROBE);
  await eventually(`the policy of ${namespace}`, async () => {
    const contentType = 'application/merge-patch+json';
    const body = { metadata: { labels: { probed: 'true' } } };
    await cluster.request('PATCH', `${jobs}/probe?dryRun=All`, { contentType, body });
    return log().includes('"name":"probe"') ? true : undefined;
  });
}

/** An object of which any jobguard here is asked, whatever its policy guards. */
const PROBE = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'probe' },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'probe', image: 'probe:v1' }] } } },
};

function namespaceNamed(name: string): unknown {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function webhookConfiguration(name: string, namespaces: readonly string[], port: number, caPem: string): unknown {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: WEBHOOK_NAME,
        clientConfig: {
          url: `https://127.0.0.1:${port}/validate`,
          caBundle: Buffer.from(caPem).toString('base64'),
        },
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces }],
        },
        rules: [
          {
            apiGroups: ['kubeflow.org', 'trainer.kubeflow.org', 'batch', 'jobset.x-k8s.io'],
            apiVersions: ['*'],
            operations: ['UPDATE'],
            resources: ['*/*'],
            scope: 'Namespaced',
          },
        ],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        timeoutSeconds: 10,
        admissionReviewVersions: ['v1'],
      },
    ],
  };
}
