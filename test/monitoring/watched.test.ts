import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../../tools/child-process.ts';
import type { Answer } from '../../tools/kubernetes/control-plane.ts';
import { eventually } from '../../tools/eventually.ts';
import { CHART } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { dashboardQueries } from './dashboard-queries.ts';
import { hurried } from './hurried.ts';
import { describeMonitoring } from './layer.ts';
import { JOBS, startWatchedCluster, UNLUCKY, type WatchedCluster } from './watched-cluster.ts';

const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/jobguard.jobguard';
const DOCS = join(CHART, '../../docs');
const MONITORING = readFileSync(join(DOCS, 'monitoring.md'), 'utf8');
const DASHBOARD: unknown = JSON.parse(readFileSync(join(CHART, 'files/dashboard.json'), 'utf8'));
const FAILING_OPEN = readFileSync(join(DOCS, 'runbooks/JobguardFailingOpen.md'), 'utf8');
const CI = 'system:serviceaccount:team:ci';
const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';
/** Certificates are looked at every ten seconds, and a minute of the rules lasts a second. */
const PATIENCE_MS = 90_000;

describeMonitoring('a Prometheus that watches a jobguard that an API server calls', () => {
  let cluster: WatchedCluster;
  let startedAt: number;

  const patch = (body: unknown, { as = 'jane', query = '' } = {}): Promise<Answer> =>
    cluster.controlPlane.request('PATCH', `${JOBS}/watched${query}`, {
      contentType: 'application/merge-patch+json',
      body,
      as,
    });
  const denied = ({ as = 'jane' } = {}): Promise<Answer> => patch({ spec: { runPolicy: { backoffLimit: 3 } } }, { as });
  let ttl = 0;
  /** Allowed with a warning, about which the API server has to ask. */
  const allowed = (): Promise<Answer> => patch({ spec: { runPolicy: { ttlSecondsAfterFinished: -(ttl += 1) } } });
  const labelled = (): Promise<Answer> => patch({ metadata: { labels: { round: `r${(ttl += 1)}` } } });

  /** Waits until the API server's cache holds what was written: it judges an update of a stale copy twice. */
  const cached = async (written: Answer): Promise<Answer> => {
    const versionOf = ({ json }: Answer): unknown => at(json, 'metadata', 'resourceVersion');
    await eventually("the API server's cache to be fresh", async () => {
      const read = await cluster.controlPlane.request('GET', `${JOBS}/watched?resourceVersion=0`);
      return versionOf(read) === versionOf(written) || undefined;
    });
    return written;
  };

  /** Names and severities of the alerts in the given states. */
  async function alertsIn(states: readonly string[]): Promise<string[]> {
    const alerts = at(await cluster.prometheus.ask('alerts'), 'alerts');
    return (Array.isArray(alerts) ? alerts : [])
      .filter((alert: unknown) => states.includes(String(at(alert, 'state'))))
      .map((alert: unknown) => `${String(at(alert, 'labels', 'alertname'))} ${String(at(alert, 'labels', 'severity'))}`)
      .sort();
  }

  /** Waits until exactly these alerts are pending or firing, and goes on with `meanwhile` until then. */
  async function alertsBecome(
    expected: readonly string[],
    meanwhile = (): Promise<unknown> => delay(200),
    states: readonly string[] = ['pending', 'firing'],
  ): Promise<void> {
    let seen: string[] = [];
    const deadline = Date.now() + PATIENCE_MS;
    do {
      await meanwhile();
      seen = await alertsIn(states);
    } while (Date.now() < deadline && seen.join() !== expected.join());
    expect(seen).toEqual(expected);
  }

  /** The audit log under the name that the documentation gives it. */
  async function auditEvents(): Promise<{ file: string; lines: string[] }> {
    const file = join(dirname(cluster.controlPlane.auditLogFile), 'audit.log');
    return { file, lines: (await readFile(file, 'utf8')).split('\n').slice(0, -1) };
  }

  async function samples(query: string): Promise<unknown[]> {
    const result = at(await cluster.prometheus.ask(`query?query=${encodeURIComponent(query)}`), 'result');
    return Array.isArray(result) ? (result as unknown[]) : [];
  }

  /** What a panel of one number shows, a minute being a second. */
  async function shownBy(panel: string): Promise<number> {
    const queries = dashboardQueries(DASHBOARD, { range: '1h', interval: '5m' });
    const [sample] = await samples(hurried(queries.find((each) => each.panel === panel)?.query ?? ''));
    return Number(at(sample, 'value', 1));
  }

  beforeAll(async () => {
    cluster = await startWatchedCluster();
    startedAt = Date.now() / 1000;
    await eventually('every target to be scraped', async () =>
      (await samples('up == 1')).length === 3 ? true : undefined,
    );
  });
  afterAll(() => cluster.stop());

  test('counts what is allowed, denied, exempted and spared the call, and no alert comes of it', async () => {
    await alertsBecome([]);
    const from = Date.now() / 1000;
    for (let round = 0; round < 3; round += 1) {
      // The collector's own changes are not asked about, unless a warning is due.
      const spec = { runPolicy: { ttlSecondsAfterFinished: -100 - round } };
      const finalizers = [`example.com/r${round}`];
      const exempted = await cached(await patch({ metadata: { finalizers }, spec }, { as: GARBAGE_COLLECTOR }));
      const answers = [await cached(await allowed()), await cached(await labelled()), await denied(), exempted];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 200]);
      expect((await patch({ metadata: { finalizers: ['example.com/x'] } }, { query: '?dryRun=All' })).status).toBe(403);
      await delay(2_000);
    }
    const decisions = 'sum by (decision) (jobguard_admission_requests_total{decision=~"allow|deny|exempt"})';
    const counts = (await samples(decisions)).map((sample) => [
      at(sample, 'metric', 'decision'),
      at(sample, 'value', 1),
    ]);
    // One denial more, at least, by which the registration was seen to be in force.
    expect(Object.fromEntries(counts)).toEqual({
      allow: '3',
      exempt: '3',
      deny: expect.stringMatching(/^[789]|\d\d$/),
    });
    const range = Math.ceil(Date.now() / 1000 - from);
    expect(await samples(`max_over_time(ALERTS[${range}s])`)).toEqual([]);
  });

  test('a burst of denials raises JobguardDenialSpike, and it alone, until it is over', async () => {
    await alertsBecome(['JobguardDenialSpike warning'], () => Promise.all(Array.from({ length: 5 }, () => denied())));
    await alertsBecome([]);
  });

  test('a service account that keeps being refused raises JobguardControllerRefused, and it alone', async () => {
    await alertsBecome(['JobguardControllerRefused warning'], async () => {
      expect((await denied({ as: CI })).status).toBe(403);
      await delay(2_000);
    });
    await alertsBecome([]);
  });

  test('a condition that the API server cannot evaluate raises JobguardConditionError, and it alone', async () => {
    await alertsBecome(['JobguardConditionError warning'], async () => {
      expect(at((await denied({ as: UNLUCKY })).json, 'message')).toEqual(
        expect.stringContaining('no such key: nowhere'),
      );
      await delay(200);
    });
    await alertsBecome([]);
  });

  test('the dashboard shows two pods and the whole error budget', async () => {
    expect([await shownBy('Pods'), await shownBy('Error budget left')]).toEqual([2, 1]);
  });

  test('a certificate that ends in five days raises JobguardCertificateExpiry, and it alone, until it is renewed', async () => {
    await cluster.renewCertificate(5);
    await alertsBecome(['JobguardCertificateExpiry critical', 'JobguardCertificateExpiry warning']);
    await cluster.renewCertificate(40);
    await alertsBecome([]);
  });

  test('a stopped jobguard of two raises JobguardNoRedundancy, and it alone', async () => {
    cluster.spare.signal('SIGTERM');
    await cluster.spare.exited;
    await alertsBecome(['JobguardNoRedundancy warning']);
  });

  test('none left raises JobguardDown, and JobguardUnreachable when somebody changes a job', async () => {
    cluster.called.signal('SIGTERM');
    await cluster.called.exited;
    await alertsBecome(['JobguardDown critical', 'JobguardUnreachable critical'], async () => {
      expect((await allowed()).status).toBe(500);
      await delay(200);
    });
  });

  test('the dashboard shows no pod, and that the error budget is used up', async () => {
    expect(await shownBy('Pods')).toBe(0);
    expect(await shownBy('Error budget left')).toBeLessThan(0);
  });

  test('failurePolicy Ignore raises JobguardFailingOpen beside them, and all of them fire', async () => {
    const body = [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }];
    const contentType = 'application/json-patch+json';
    const answer = await cluster.controlPlane.request('PATCH', CONFIGURATION, { contentType, body });
    expect(answer.status).toBe(200);
    const expected = ['JobguardDown critical', 'JobguardFailingOpen warning', 'JobguardUnreachable critical'];
    const change = async (): Promise<void> => {
      await allowed();
      await delay(200);
    };
    await alertsBecome(expected, change);
    await alertsBecome(expected, change, ['firing']);
  });

  test('what an alert says is filled in', async () => {
    const alerts = at(await cluster.prometheus.ask('alerts'), 'alerts');
    const down = (Array.isArray(alerts) ? alerts : []).find(
      (alert: unknown) => at(alert, 'labels', 'alertname') === 'JobguardDown',
    ) as unknown;
    expect(at(down, 'labels')).toEqual({
      alertname: 'JobguardDown',
      severity: 'critical',
      namespace: 'jobguard',
      job: 'jobguard/jobguard',
    });
    expect(JSON.stringify(alerts)).not.toMatch(/\{\{|<no value>|<error/);
  });

  test('the audit log has the annotations that docs/monitoring.md shows, and its queries find them', async () => {
    const [example = ''] = /(?<=```json\n)\{\n  "jobs\.jobguard\.dev.*?\n\}(?=\n)/s.exec(MONITORING) ?? [];
    const shown: unknown = JSON.parse(example);
    const { file, lines } = await auditEvents();
    const annotations = lines.map((line) => at(JSON.parse(line), 'annotations'));
    const denial = annotations.find((each) => at(each, 'jobs.jobguard.dev/decision') === 'deny');
    const own = keysOf(denial).filter((key) => key.startsWith('jobs.jobguard.dev/'));
    expect(own.sort()).toEqual(keysOf(shown).sort());

    const queries = [
      ...MONITORING.matchAll(/(?<=```sh\n).*?(?=```)/gs),
      ...FAILING_OPEN.matchAll(/(?<=```\n)jq.*?(?=```)/gs),
    ];
    const answers: string[] = [];
    for (const [query] of queries) {
      const { stdout, stderr } = await run('sh', ['-c', query], { cwd: dirname(file) });
      expect(stderr).toBe('');
      answers.push(stdout);
    }
    const [denied, ofOtherModes, failedOpen] = answers;
    expect(denied?.split('\n')[0]?.split('\t')).toEqual([
      expect.stringMatching(/^\d{4}-/),
      expect.any(String),
      'patch',
      'default/watched',
      expect.stringMatching(/^\["\/(spec|metadata)\/.*"\]$/),
    ]);
    expect(ofOtherModes).toBe('');
    expect(failedOpen).toMatch(/^\{"time":".*","user":"jane","verb":"patch","object":\{.*"name":"watched".*\}\}\n/);
    expect(answers).toHaveLength(3);
  });

  test('every query of the dashboard has data', async () => {
    const end = Date.now() / 1000;
    const range = Math.ceil(end - startedAt);
    const without: string[] = [];
    const queries = dashboardQueries(DASHBOARD, { range: `${range}s`, interval: '5s' });
    for (const { panel, query } of queries) {
      const asked = `query_range?query=${encodeURIComponent(query)}&start=${startedAt}&end=${end}&step=2`;
      const result = at(await cluster.prometheus.ask(asked), 'result');
      if (!hasNumber(result)) without.push(`${panel}: ${query}`);
    }
    expect(without).toEqual([]);
    expect(queries.length).toBeGreaterThan(35);
  });

  test('every metric that the dashboard and the rules name is scraped', async () => {
    const names = await cluster.prometheus.ask('label/__name__/values');
    const named = ['dashboard.json', 'alerts.yaml'].flatMap(
      (file) =>
        readFileSync(join(CHART, 'files', file), 'utf8').match(
          /\b(?:jobguard|nodejs|process|apiserver)_\w+(?=\{)|\bup(?=\{)/g,
        ) ?? [],
    );
    expect([...new Set(named)].filter((name) => !Array.isArray(names) || !names.includes(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(50);
  });
});

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/** Whether a range of a query's result holds a number. */
function hasNumber(result: unknown): boolean {
  const series: unknown[] = Array.isArray(result) ? result : [];
  return series.some((each) => {
    const values = at(each, 'values');
    return Array.isArray(values) && values.some((pair: unknown) => Number.isFinite(Number(at(pair, 1))));
  });
}
