import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../tools/certificates.ts';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { DOCS } from '../support/documented-policies.ts';
import { eventually } from '../../tools/eventually.ts';
import { startJobguard, type JobguardProcess } from '../../tools/jobguard-process.ts';
import { at } from '../../tools/json-at.ts';
import { create, jobNamed, mergePatch, TF_JOB, workers } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';

const WEBHOOK = 'jobs.jobguard.test';
const CLIENT = 'kube-apiserver-admission';

/** Reads the file of a kind that docs/operations.md shows. */
async function documented(kind: string): Promise<string> {
  const page = await readFile(join(DOCS, 'operations.md'), 'utf8');
  const block = page.match(/(?<=^```yaml\n)[^`]*(?=^```$)/gm)?.find((text) => text.includes(`\nkind: ${kind}\n`));
  if (block === undefined) throw new Error(`docs/operations.md shows no ${kind}`);
  return block;
}

describeWithControlPlane('a jobguard that asks for a client certificate', () => {
  const undo = new AsyncDisposableStack();
  let cluster: ControlPlane;
  let jobguard: JobguardProcess;
  let job: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jobguard-clients-'));
    undo.defer(() => rm(folder, { recursive: true }));
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const [authority, clients] = [await createAuthority(), await createAuthority()];
    const [serving, client] = [await authority.issue('jobguard'), await clients.issue(CLIENT)];
    jobguard = undo.use(
      await startJobguard([
        ...['--tls-cert-file', await write('tls.crt', serving.cert)],
        ...['--tls-private-key-file', await write('tls.key', serving.key)],
        ...['--client-ca-file', await write('client-ca.crt', clients.cert), '--allowed-client-names', CLIENT],
        ...['--metrics-port', '0', '--shutdown-delay', '0s'],
      ]),
    );
    await write('client.crt', client.cert);
    await write('client.key', client.key);
    const here = (text: string): string =>
      text
        .replaceAll('/etc/kubernetes/admission', folder)
        .replace('jobguard.jobguard.svc', `127.0.0.1:${jobguard.securePort}`);
    await write('kubeconfig.yaml', here(await documented('Config')));
    const configuration = await write('configuration.yaml', here(await documented('AdmissionConfiguration')));
    cluster = await startControlPlane('training-operator 1.9', {
      apiServerFlags: { 'admission-control-config-file': configuration },
    });
    undo.defer(cluster.stop);
    job = await create(cluster, TF_JOB, jobNamed('guarded', TF_JOB));
    const { securePort: port } = jobguard;
    await cluster.register({ name: WEBHOOK, port, caPem: authority.cert, failurePolicy: 'Fail' });
  });
  afterAll(() => undo.disposeAsync());

  test('judges the updates of an API server that is configured as documented', async () => {
    expect((await mergePatch(cluster, job, { spec: { runPolicy: { activeDeadlineSeconds: 60 } } })).status).toBe(200);
    const { status, json } = await mergePatch(cluster, job, workers(TF_JOB, 5));
    expect([status, at(json, 'message')]).toEqual([
      403,
      expect.stringMatching(/^admission webhook "jobs\.jobguard\.test" denied the request: /),
    ]);
  });

  test('refuses one that has no certificate for it, and says so to whoever updates', async () => {
    // Another host, for which the API server's kubeconfig has no user.
    const url = `https://localhost:${jobguard.securePort}/validate`;
    await cluster.request('PATCH', `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK}`, {
      contentType: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/webhooks/0/clientConfig/url', value: url }],
    });
    const refused = await eventually('the change to be known', async () => {
      const answer = await mergePatch(cluster, job, { spec: { runPolicy: { activeDeadlineSeconds: 61 } } });
      return answer.status === 500 ? at(answer.json, 'message') : undefined;
    });
    expect(refused).toBe(
      `Internal error occurred: failed calling webhook "${WEBHOOK}": failed to call webhook: ` +
        "this webhook requires the API server's client certificate: UNABLE_TO_GET_ISSUER_CERT",
    );
  });
});
