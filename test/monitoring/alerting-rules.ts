import { objectOf, renderObjects } from '../../tools/helm.ts';
import { at } from '../../tools/json-at.ts';

/** An alerting rule, as the chart renders it. */
export interface AlertingRule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Returns the content of a Prometheus rules file: what the chart's PrometheusRule has below `spec`. */
export async function renderRules(values: object = {}): Promise<unknown> {
  const metrics = { podMonitor: { enabled: true }, prometheusRule: { enabled: true } };
  return at(objectOf(await renderObjects({ values: { metrics, ...values } }), 'PrometheusRule'), 'spec');
}

/** Returns the alerting rules of a rules file, in their order. */
export function alertingRules(file: unknown): AlertingRule[] {
  return list(at(file, 'groups')).flatMap((group) => list(at(group, 'rules')).filter(isAlertingRule));
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isAlertingRule(rule: unknown): rule is AlertingRule {
  return typeof rule === 'object' && rule !== null && 'alert' in rule && 'labels' in rule && 'annotations' in rule;
}
