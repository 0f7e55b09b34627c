import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, renderObjects, type Manifest } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { alertingRules, renderRules } from './alerting-rules.ts';
import { dashboardQueries, panelsOf } from './dashboard-queries.ts';
import { describeMonitoring } from './layer.ts';
import { promtool } from './prometheus.ts';

const TEXT = readFileSync(join(CHART, 'files/dashboard.json'), 'utf8');
const DASHBOARD: unknown = JSON.parse(TEXT);

function listAt(value: unknown, ...path: string[]): unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

test('the dashboard has a uid of its own, and asks nothing when it is imported', () => {
  expect([at(DASHBOARD, 'uid'), at(DASHBOARD, 'id'), at(DASHBOARD, '__inputs')]).toEqual([
    'jobguard',
    undefined,
    undefined,
  ]);
  expect(listAt(DASHBOARD, 'templating', 'list').map((variable) => at(variable, 'name'))).toEqual([
    ...['datasource', 'cluster', 'namespace', 'job', 'pod'],
    ...['objective', 'timeout', 'memory_limit'],
  ]);
});

test('every panel asks the data source that was chosen, says what it shows, and lies where no other does', () => {
  const panels = listAt(DASHBOARD, 'panels');
  const cells = new Set<string>();
  let area = 0;
  for (const panel of panels) {
    const [x, y, width, height] = ['x', 'y', 'w', 'h'].map((key) => Number(at(panel, 'gridPos', key)));
    area += (width ?? 0) * (height ?? 0);
    for (let column = 0; column < (width ?? 0); column += 1) {
      for (let line = 0; line < (height ?? 0); line += 1) cells.add(`${(x ?? 0) + column},${(y ?? 0) + line}`);
    }
  }
  expect(cells.size).toBe(area);
  expect(new Set(panels.map((panel) => at(panel, 'id'))).size).toBe(panels.length);
  for (const panel of panelsOf(DASHBOARD)) {
    const title = at(panel, 'title');
    expect([title, at(panel, 'description')]).toEqual([title, expect.stringMatching(/^[A-Z].*\.$/)]);
    for (const asking of [panel, ...listAt(panel, 'targets')]) {
      expect([title, at(asking, 'datasource')]).toEqual([title, { type: 'prometheus', uid: '${datasource}' }]);
    }
  }
});

test('docs/monitoring.md says of every panel which question it answers, and of no other', () => {
  const page = readFileSync(join(CHART, '../../docs/monitoring.md'), 'utf8');
  const [, table = ''] = /\n## Dashboard\n(.*?)\n## /s.exec(page) ?? [];
  const documented = [...table.matchAll(/^\| (?<row>.+?) +\| (?<panel>.+?) +\| .+\? +\|$/gm)].map(
    ({ groups = {} }) => `${groups['row'] ?? ''} | ${groups['panel'] ?? ''}`,
  );
  let row = '';
  const shown = listAt(DASHBOARD, 'panels').flatMap((panel) => {
    if (at(panel, 'type') !== 'row') return [`${row} | ${String(at(panel, 'title'))}`];
    row = String(at(panel, 'title'));
    return [];
  });
  expect(documented).toEqual(shown);
});

test('every query is limited to the cluster that was chosen, and to all where metrics have no such label', () => {
  const [, cluster] = listAt(DASHBOARD, 'templating', 'list');
  expect([at(cluster, 'name'), at(cluster, 'includeAll'), at(cluster, 'allValue')]).toEqual(['cluster', true, '.*']);
  const selectors = TEXT.match(/(?<=[a-z_]\{)[^{}]*(?:namespace|name)=[^{}]*(?=\})/g) ?? [];
  expect(selectors.filter((selector) => !selector.startsWith('cluster=~\\"$cluster\\", '))).toEqual([]);
  expect(selectors.length).toBeGreaterThan(50);
});

describeMonitoring('the panels', () => {
  test('link the runbook of every alert, and of no other', async () => {
    const links = panelsOf(DASHBOARD).flatMap((panel) => listAt(panel, 'links'));
    const linked = links.map((link) => `${String(at(link, 'title'))}: ${String(at(link, 'url'))}`);
    const rules = alertingRules(await renderRules());
    const runbooks = rules.map((rule) => `Runbook of ${rule.alert}: ${rule.annotations['runbook_url'] ?? ''}`);
    expect(new Set(linked)).toEqual(new Set(runbooks));
  });
});

/** A panel's answer after two hours of series, as promtool writes them, in whole hundredths. */
interface Shown {
  readonly panel: string;
  readonly when: string;
  readonly series: Readonly<Record<string, string>>;
  readonly is: number;
}

const OF = 'namespace="jobguard", job="jobguard/jobguard", pod="a"';
const UP = `up{${OF}}`;
const answers = (code: number): string => `jobguard_http_requests_total{${OF}, code="${code}"}`;
const CALLS = 'apiserver_admission_webhook_request_total{name="jobs.jobguard.dev"}';
const failedCalls = (type: string): string =>
  `apiserver_admission_webhook_rejection_count{name="jobs.jobguard.dev", error_type="${type}"}`;
const FAILED_OPEN = 'apiserver_admission_webhook_fail_open_count{name="jobs.jobguard.dev"}';
const OF_CONTAINER = 'namespace="jobguard", pod="a", container="jobguard"';
const IDLE = { [UP]: '1x120', [answers(200)]: '0x120', [answers(500)]: '0x120' };
const QUERIES = dashboardQueries(DASHBOARD, { range: '1h', interval: '5m' });

const SHOWN: Shown[] = [
  { panel: 'Error budget left', when: 'there was no traffic', series: IDLE, is: 1 },
  {
    panel: 'Error budget left',
    when: 'the API server has seen no failed call',
    series: { ...IDLE, [CALLS]: '0+10x120', [failedCalls('no_error')]: '0+5x120' },
    is: 1,
  },
  {
    panel: 'Error budget left',
    when: 'the API server has seen one call in two thousand fail',
    series: { ...IDLE, [CALLS]: '0+2000x120', [failedCalls('calling_webhook_error')]: '0+1x120' },
    is: 0.5,
  },
  {
    panel: 'Error budget left',
    when: 'the API server let one call in a thousand pass unjudged',
    series: { ...IDLE, [CALLS]: '0+1000x120', [FAILED_OPEN]: '0+1x120' },
    is: 0,
  },
  {
    panel: 'Error budget left',
    when: 'the API server saw every call fail, while jobguard counted nothing',
    series: { ...IDLE, [CALLS]: '0+10x120', [failedCalls('calling_webhook_error')]: '0+10x120' },
    is: -999,
  },
  {
    panel: 'Error budget left',
    when: 'one answer in two thousand was an error, and the API server is not scraped',
    series: { [UP]: '1x120', [answers(200)]: '0+1999x120', [answers(500)]: '0+1x120' },
    is: 0.5,
  },
  {
    panel: 'Error budget left',
    when: 'no pod could be scraped for half of the time, nor the API server',
    series: { ...IDLE, [UP]: '1x59 0x60' },
    is: -519,
  },
  {
    panel: 'Error budget left',
    when: 'the targets vanished',
    series: { [UP]: '1x54 _x66', [answers(200)]: '0x54 _x66' },
    is: -519,
  },
  { panel: 'Pods', when: 'one of two can be scraped', series: { [UP]: '1x120', 'up{job="other"}': '1x120' }, is: 1 },
  { panel: 'Pods', when: 'the targets vanished', series: { [UP]: '1x54 _x66' }, is: 0 },
  {
    panel: 'Memory',
    when: 'kube-state-metrics knows the limit',
    series: { [`kube_pod_container_resource_limits{${OF_CONTAINER}, resource="memory"}`]: '1000x120' },
    is: 1000,
  },
  {
    panel: 'Memory',
    when: 'cAdvisor knows the limit',
    series: { [`container_spec_memory_limit_bytes{${OF_CONTAINER}}`]: '2000x120' },
    is: 2000,
  },
  {
    panel: 'Memory',
    when: 'nobody but the chart knows the limit',
    series: { [`container_spec_memory_limit_bytes{${OF_CONTAINER}}`]: '0x120' },
    is: 805_306_368,
  },
];

describeMonitoring('on made-up series', () => {
  test.each(SHOWN)('"$panel" shows $is when $when', async ({ panel, series, is }) => {
    const query = QUERIES.findLast((each) => each.panel === panel)?.query ?? '';
    const unitTest = {
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [
            { expr: `round(${query}, 0.01)`, eval_time: '2h', exp_samples: [{ labels: '{}', value: is }] },
          ],
        },
      ],
    };
    const { code, stdout, stderr } = await promtool(['test', 'rules', 'test.json'], {
      files: { 'test.json': unitTest },
    });
    expect([code, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});

describeMonitoring('the ConfigMap', () => {
  test("holds the dashboard, with the label that Grafana's sidecar looks for", async () => {
    const map = await renderDashboard({});
    expect(map?.metadata.labels).toMatchObject({ grafana_dashboard: '1', 'app.kubernetes.io/name': 'jobguard' });
    expect(shownBy(map)).toEqual(DASHBOARD);
  });

  test.each([
    { limit: '512Mi', bytes: '536870912' },
    { limit: '1.5Gi', bytes: '1610612736' },
    { limit: '500M', bytes: '500000000' },
    { limit: 268_435_456, bytes: '268435456' },
    { limit: null, bytes: '0' },
  ])("takes the memory limit $limit from the chart's values as $bytes bytes", async ({ limit, bytes }) => {
    const map = await renderDashboard({ resources: { limits: { memory: limit } } });
    expect(constantsOf(shownBy(map))).toEqual({ objective: '99.9', timeout: '5', memory_limit: bytes });
  });

  test("takes the objective, the timeout and the runbooks' address from the chart's values", async () => {
    const prometheusRule = { objectivePercent: 99.5, runbookBaseUrl: 'https://runbooks.example.com/jobguard/' };
    const map = await renderDashboard({ webhook: { timeoutSeconds: 10 } }, { prometheusRule });
    expect(constantsOf(shownBy(map))).toEqual({ objective: '99.5', timeout: '10', memory_limit: '805306368' });
    const text = JSON.stringify(shownBy(map));
    expect(text).toContain('"https://runbooks.example.com/jobguard/JobguardDown.md"');
    expect(text).not.toContain('github.com');
  });
});

async function renderDashboard(values: object, metrics: object = {}): Promise<Manifest | undefined> {
  const objects = await renderObjects({ values: { ...values, metrics: { ...metrics, dashboard: { enabled: true } } } });
  return objects.find(({ metadata }) => metadata.name === 'jobguard-dashboard');
}

function shownBy(map: unknown): unknown {
  return JSON.parse(String(at(map, 'data', 'jobguard.json')));
}

/** The variables that are typed in rather than chosen. */
function constantsOf(dashboard: unknown): Record<string, unknown> {
  const variables = listAt(dashboard, 'templating', 'list').filter((variable) => at(variable, 'type') === 'textbox');
  return Object.fromEntries(
    variables.map((variable) => [String(at(variable, 'name')), at(variable, 'current', 'value')]),
  );
}
