import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { createAuthority } from '../../tools/certificates.ts';
import { startControlPlane, type ControlPlane } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { at } from '../../tools/json-at.ts';
import { create, jobNamed, mergePatch, TF_JOB, workers } from './jobs.ts';
import { describeWithControlPlane } from './layer.ts';
import { prepareRelease, type Replica, type SelfManagedRelease } from './self-managed-release.ts';

const DENIAL =
  /^admission webhook "jobs\.jobguard\.dev" denied the request: tfjobs\.kubeflow\.org "guarded" may not be/;
const NOT_WRITING_THE_CA_BUNDLE =
  '"problem":"not writing the caBundle: ValidatingWebhookConfiguration jobguard.jobguard lacks the annotation jobguard.dev/tls-mode: selfManaged"';
/** A replica looks every 10 s, a quarter more or less, and waits 10 s more before it serves by a new authority. */
const PATIENCE = { timeoutMs: 60_000 };

describeWithControlPlane('certificates that replicas issue to themselves', () => {
  let cluster: ControlPlane;
  let release: SelfManagedRelease;
  let replicas: readonly [Replica, Replica];
  let job: string;

  beforeAll(async () => {
    cluster = await startControlPlane('training-operator 1.9');
    job = await create(cluster, TF_JOB, jobNamed('guarded', TF_JOB));
    release = await prepareRelease(cluster);
    replicas = [await release.startReplica(), await release.startReplica()];
  });
  afterAll(async () => {
    await release[Symbol.asyncDispose]();
    await cluster.stop();
  });

  const authorities = async (): Promise<string[]> =>
    (await release.caBundle()).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
  /** Whether both are ready, and the Service has heard of it. */
  const areBothServing = async (): Promise<boolean> => {
    const reports = await Promise.all(replicas.map(({ readyz }) => readyz()));
    const targets = release.service.targets();
    return replicas.every(
      ({ securePort }, index) => reports[index]?.includes('readyz check passed') && targets.includes(securePort),
    );
  };
  const bothServing = (): Promise<true> =>
    eventually('both replicas', async () => (await areBothServing()) || undefined, PATIENCE);
  /** Waits until the Secret holds another leaf than this one, and both replicas serve it. */
  const renewed = async (leaf: string | undefined): Promise<true> =>
    eventually(
      'a renewed certificate',
      async () => {
        const { 'tls.crt': now = '' } = await release.secret();
        if (now === leaf || !now.endsWith('-----END CERTIFICATE-----')) return undefined;
        const notAfter = new X509Certificate(now).validToDate.toISOString();
        const served = `"notAfter":"${notAfter}","msg":"certificate reloaded"`;
        return replicas.every((replica) => replica.stderr().includes(served)) || undefined;
      },
      PATIENCE,
    );

  test('without a webhook no replica is ready, and each says why', async () => {
    const log = await eventually('a log line', () =>
      Promise.resolve(replicas[0].stderr().includes('jobguard.jobguard not found') ? replicas[0].stderr() : undefined),
    );
    expect(log).toContain(
      '"problem":"ValidatingWebhookConfiguration jobguard.jobguard not found","msg":"no certificate loaded yet"',
    );
    expect(await replicas[0].readyz()).toBe(
      [
        '[+]listening ok',
        '[-]certificate failed: is not loaded yet',
        '[-]trust failed: the caBundle does not contain the CA of the certificate for jobguard.jobguard.svc',
        '[+]shutdown ok',
        'readyz check failed',
        '',
      ].join('\n'),
    );
    expect(await release.secret()).toEqual({});
  });

  test('an empty Secret and a webhook without a caBundle become a certificate that the API server trusts', async () => {
    expect(await release.apply()).toMatchObject({ code: 0, stderr: '' });
    await bothServing();
    const answer = await mergePatch(cluster, job, workers(TF_JOB, 5));
    expect([answer.status, at(answer.json, 'message')]).toEqual([403, expect.stringMatching(DENIAL)]);
    const [ca = '', ...others] = await authorities();
    const secret = await release.secret();
    expect({ ca, others }).toEqual({ ca: secret['ca.crt']?.concat('\n'), others: [] });
    expect(replicas[0].stderr().concat(replicas[1].stderr())).not.toContain('PRIVATE KEY');
  });

  const appliedAgain = async (): Promise<void> => {
    const before = [await release.secret(), await release.caBundle()];
    expect(await release.apply()).toMatchObject({ code: 0, stderr: '' });
    expect([await release.secret(), await release.caBundle()]).toEqual(before);
  };
  test('applied again by who installed it, nothing conflicts, and what the replicas wrote stays', appliedAgain);

  test.each([
    { what: 'a deleted Secret', harm: () => release.deleteSecret() },
    { what: 'a Secret with a truncated authority', harm: () => release.patchSecret({ 'ca.key': '-----BEGIN PRIV' }) },
  ])('$what: another authority beside the old one, and no update fails meanwhile', async ({ harm }) => {
    await bothServing();
    const [before, old] = [await release.secret(), await authorities()];
    const traffic = keepPatching(cluster, job);
    await harm();
    await renewed(before['tls.crt']);
    await bothServing();
    const { sent, failures } = await traffic.end();
    process.stdout.write(`${sent} updates while the authority changed, ${failures.length} failed\n`);
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(50);
    expect(await authorities()).toEqual([(await release.secret())['ca.crt']?.concat('\n'), ...old]);
  });

  test('applied again where the replicas have made the Secret, nothing conflicts either', appliedAgain);

  test('a truncated certificate is issued anew by the same authority, and no update fails meanwhile', async () => {
    const [before, old] = [await release.secret(), await authorities()];
    const traffic = keepPatching(cluster, job);
    await release.patchSecret({ 'tls.crt': before['tls.crt']?.slice(0, 200) ?? '' });
    await renewed(before['tls.crt']);
    expect((await traffic.end()).failures).toEqual([]);
    expect(await authorities()).toEqual(old);
    const logs = replicas.map((replica) => replica.stderr()).join('');
    expect(logs).toMatch(/"problems":\["tls: .+"\],"msg":"Secret is damaged; repairing it"/);
  });

  test('a caBundle that somebody takes out is put back', async () => {
    const before = await release.caBundle();
    await release.removeCaBundle();
    await eventually('the caBundle', async () => ((await release.caBundle()) === before ? true : undefined), PATIENCE);
    await bothServing();
    const { status } = await eventually('the API server to have heard of it', async () => {
      const answer = await mergePatch(cluster, job, workers(TF_JOB, 5));
      return answer.status === 500 ? undefined : answer;
    });
    expect(status).toBe(403);
  });

  test('a caBundle is left alone once the configuration says that another mode fills it in', async () => {
    const others = (await createAuthority()).cert;
    await release.setMode('helm', others);
    await eventually(
      'both to have noticed',
      () =>
        Promise.resolve(replicas.every((replica) => replica.stderr().includes(NOT_WRITING_THE_CA_BUNDLE)) || undefined),
      PATIENCE,
    );
    expect(await release.caBundle()).toBe(others);
    await release.setMode('selfManaged', others);
    await bothServing();
    expect(await authorities()).toContain((await release.secret())['ca.crt']?.concat('\n'));
  });

  test('while the API server cannot be reached replicas serve on, and one that starts says why it is not ready', async () => {
    const way = release.wayToApiServer;
    const ports = way.targets();
    way.leadTo([]);
    const started = await release.startReplica();
    await eventually('a log line', () =>
      Promise.resolve(
        /"problem":"the API server at 127\.0\.0\.1:\d+ cannot be reached: /.test(started.stderr()) || undefined,
      ),
    );
    await eventually('the others to have missed it', () =>
      Promise.resolve(replicas.every((replica) => replica.stderr().includes('cannot be reached')) || undefined),
    );
    expect(await started.readyz()).toContain('[-]certificate failed: is not loaded yet');
    expect(await areBothServing()).toBe(true);
    expect((await mergePatch(cluster, job, workers(TF_JOB, 5))).status).toBe(403);
    way.leadTo(ports);
    await eventually(
      'the new one',
      async () => (await started.readyz()).includes('check passed') || undefined,
      PATIENCE,
    );
  });

  test('without its rights a replica that starts says what it may not', async () => {
    await cluster.kubectl(['delete', 'clusterrolebinding', 'jobguard.jobguard']);
    const started = await release.startReplica();
    await eventually('a log line', () =>
      Promise.resolve(
        /"problem":"the API server rejected GET .*: 403 .*jobguard\.jobguard/.test(started.stderr()) || undefined,
      ),
    );
    expect(await started.readyz()).toContain('readyz check failed');
  });
});

interface Traffic {
  /** Stops, and returns how many updates were sent and which were answered otherwise than a guarded cluster does. */
  end: () => Promise<{ sent: number; failures: readonly string[] }>;
}

/** Sends updates to a job without a pause, allowed and forbidden in turn; the webhook is asked about each. */
function keepPatching(cluster: ControlPlane, job: string): Traffic {
  const state = { isOver: false, sent: 0 };
  const failures: string[] = [];
  const patching = (async (): Promise<void> => {
    while (!state.isOver) {
      const turn = (state.sent += 1);
      const isForbidden = turn % 2 === 0;
      const patch = isForbidden ? workers(TF_JOB, 5) : { spec: { runPolicy: { activeDeadlineSeconds: turn } } };
      const { status, json, text } = await mergePatch(cluster, job, patch);
      const isRight = isForbidden ? status === 403 && DENIAL.test(String(at(json, 'message'))) : status === 200;
      if (!isRight) failures.push(`${turn}: ${status} ${text}`);
    }
  })();
  return {
    end: async () => {
      state.isOver = true;
      await patching;
      return { sent: state.sent, failures };
    },
  };
}
