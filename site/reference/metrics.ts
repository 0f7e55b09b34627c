import { loadPolicy } from '../../src/policy/load.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { BUILD_INFO } from '../../src/telemetry/build-info.ts';
import { code, table } from './table.ts';

const POLICY = 'apiVersion: jobguard/v1\nkind: UpdatePolicy\n';

/** Writes the page about metrics from the registry itself. */
export async function metricsPage(): Promise<string> {
  const { registry } = createMetrics(loadPolicy(POLICY), BUILD_INFO, []);
  const rows = (await registry.getMetricsAsJSON()).map(({ name, help, type }) => [
    code(name),
    String(type),
    labelsOf(registry.getSingleMetric(name)).map(code).join(', '),
    help,
  ]);
  return [
    '# Metrics',
    'What `GET /metrics` answers, beside the metrics `process_…` and `nodejs_…` of the Node.js process.',
    '[Monitoring](../../docs/monitoring.md) says what they are good for.',
    table(['metric', 'type', 'labels', ''], rows),
  ].join('\n\n');
}

/** prom-client's types do not say that a metric knows its labels. */
function labelsOf(metric: object | undefined): string[] {
  const names: unknown = metric !== undefined && 'labelNames' in metric ? metric.labelNames : [];
  return Array.isArray(names) ? names.map(String) : [];
}
