import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, renderObjects, type Manifest } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
import { alertingRules, renderRules } from './alerting-rules.ts';
import { panelsOf } from './dashboard-queries.ts';
import { describeMonitoring } from './layer.ts';

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
    expect(constantsOf(shownBy(map))).toEqual({ objective: '99.5', timeout: '10', memory_limit: '536870912' });
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
