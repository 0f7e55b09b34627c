import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, renderObjects } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';
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
    ...['datasource', 'namespace', 'job', 'pod'],
    ...['objective', 'timeout'],
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

describeMonitoring('the ConfigMap', () => {
  test("holds the dashboard as it is, with the label that Grafana's sidecar looks for", async () => {
    const objects = await renderObjects({ values: { metrics: { dashboard: { enabled: true } } } });
    const map = objects.find(({ metadata }) => metadata.name === 'jobguard-dashboard');
    expect(map?.metadata.labels).toMatchObject({ grafana_dashboard: '1', 'app.kubernetes.io/name': 'jobguard' });
    expect(at(map, 'data')).toEqual({ 'jobguard.json': TEXT.trim() });
  });
});
