import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../tools/certificates.ts';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { freePort } from '../../tools/free-port.ts';
import { objectOf, renderObjects } from '../../tools/helm.ts';
import { startJobguard, type JobguardProcess } from '../../tools/jobguard-process.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';
import { createSecretVolume } from '../support/secret-volume.ts';
import { renderRules } from './alerting-rules.ts';
import { hurried } from './hurried.ts';

/** Two jobguards, of which an API server calls the first, and a Prometheus that scrapes all three with the chart's rules. */
export interface WatchedCluster {
  readonly controlPlane: ControlPlane;
  readonly prometheus: Prometheus;
  readonly called: JobguardProcess;
  readonly spare: JobguardProcess;
  /** Gives both a certificate that ends in so many days. */
  renewCertificate: (days: number) => Promise<void>;
  stop: () => Promise<void>;
}

/** A job whose forbidden updates are refused. */
export const JOB = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'TFJob',
  metadata: { name: 'watched', namespace: 'default' },
  spec: {
    tfReplicaSpecs: {
      Worker: { replicas: 1, template: { spec: { containers: [{ name: 'tensorflow', image: 'train:v1' }] } } },
    },
  },
};
export const JOBS = '/apis/kubeflow.org/v1/namespaces/default/tfjobs';

/** Whoever has this name meets a condition that the API server cannot evaluate. */
export const UNLUCKY = 'unlucky';
const FAILING_CONDITION = {
  name: 'fails-for-some',
  expression: `request.userInfo.username != '${UNLUCKY}' || object.nowhere == 1`,
};

/** Starts all of it; in the rules a minute has become a second. */
export async function startWatchedCluster(): Promise<WatchedCluster> {
  await using undo = new AsyncDisposableStack();
  const controlPlane = await startControlPlane('training-operator 1.9');
  undo.defer(controlPlane.stop);
  const authority = await createAuthority();
  const issue = (days: number): ReturnType<typeof authority.issue> =>
    authority.issue('jobguard', { toHours: 24 * days });
  const volume = undo.use(await createSecretVolume(await issue(40)));
  const [called, spare] = [undo.use(await startReplica(volume)), undo.use(await startReplica(volume))];
  await register(controlPlane, called, authority.cert);
  const scrapes = { called: called.metricsPort, spare: spare.metricsPort };
  const prometheus = undo.use(await startWatching(controlPlane, scrapes, undo));
  const running = undo.move();
  return {
    ...{ controlPlane, prometheus, called, spare },
    renewCertificate: async (days) => volume.replace(await issue(days)),
    stop: () => running.disposeAsync(),
  };
}

async function startReplica({ certFile, keyFile }: { certFile: string; keyFile: string }): Promise<JobguardProcess> {
  return startJobguard([
    ...['--tls-cert-file', certFile, '--tls-private-key-file', keyFile],
    ...['--policy', join(import.meta.dirname, 'policy.yaml')],
    ...['--metrics-port', String(await freePort()), '--shutdown-delay', '0s'],
  ]);
}

/** Registers a jobguard as the chart does. */
async function register(
  { kubectl, request }: ControlPlane,
  jobguard: JobguardProcess,
  caBundle: string,
): Promise<void> {
  const values = {
    tls: { mode: 'existingSecret', existingSecret: { name: 'of-this-machine', caBundle } },
    webhook: {
      url: `https://127.0.0.1:${jobguard.securePort}/validate`,
      matchConditions: [FAILING_CONDITION],
    },
  };
  const configuration = objectOf(await renderObjects({ values }), 'ValidatingWebhookConfiguration');
  const applied = await kubectl(['apply', '--server-side', '--filename=-'], { stdin: JSON.stringify(configuration) });
  if (applied.code !== 0) throw new Error(`The webhook could not be registered: ${applied.stderr}`);
  const created = await request('POST', JOBS, { body: JOB });
  if (created.status !== 201) throw new Error(`The job could not be created: ${created.text}`);
  await eventually('the webhook to be in force', async () => {
    const answer = await request('PATCH', `${JOBS}/watched?dryRun=All`, {
      contentType: 'application/merge-patch+json',
      body: { spec: { runPolicy: { backoffLimit: 1 } } },
    });
    return answer.status === 403 ? true : undefined;
  });
}

async function startWatching(
  { administrator }: ControlPlane,
  ports: { called: number; spare: number },
  undo: AsyncDisposableStack,
): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'jobguard-scrape-'));
  undo.defer(() => rm(folder, { recursive: true }));
  const { caPem, certPem, keyPem } = administrator;
  const files = {
    ca_file: join(folder, 'ca.crt'),
    cert_file: join(folder, 'tls.crt'),
    key_file: join(folder, 'tls.key'),
  };
  await writeFile(files.ca_file, caPem);
  await writeFile(files.cert_file, certPem);
  await writeFile(files.key_file, keyPem);
  const pod = (name: string, port: number): object => ({
    targets: [`127.0.0.1:${port}`],
    labels: { namespace: 'jobguard', pod: name },
  });
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.json'],
    scrape_configs: [
      // As prometheus-operator calls a PodMonitor's targets.
      { job_name: 'jobguard/jobguard', static_configs: [pod('called', ports.called), pod('spare', ports.spare)] },
      {
        job_name: 'apiserver',
        scheme: 'https',
        tls_config: files,
        static_configs: [{ targets: [new URL(administrator.server).host] }],
        metric_relabel_configs: [{ source_labels: ['__name__'], regex: 'apiserver_admission_.*', action: 'keep' }],
      },
    ],
  };
  return startPrometheus(config, { 'rules.json': hurried(JSON.stringify(await renderRules())) });
}
