import { at } from '../../tools/json-at.ts';

/** A query of a dashboard, as Grafana would send it. */
export interface DashboardQuery {
  /** The title of its panel, or the name of its annotation. */
  readonly panel: string;
  readonly query: string;
}

/** What Grafana puts in for its own variables. */
export interface Shown {
  readonly range: string;
  readonly interval: string;
}

/** Returns the panels of a dashboard, without its rows. */
export function panelsOf(dashboard: unknown): unknown[] {
  return list(at(dashboard, 'panels')).filter((panel) => at(panel, 'type') !== 'row');
}

/** Returns every query of a dashboard with its variables filled in for the two pods of `jobguard/jobguard`. */
export function dashboardQueries(dashboard: unknown, { range, interval }: Shown): DashboardQuery[] {
  const asked = (expression: unknown): string =>
    String(expression)
      .replaceAll('$__rate_interval', interval)
      .replaceAll('$__interval', interval)
      .replaceAll('$__range', range)
      .replaceAll('$cluster', '.*')
      .replaceAll('$namespace', 'jobguard')
      .replaceAll('$job', 'jobguard/jobguard')
      .replaceAll('$pod', '.*')
      .replaceAll('$objective', '99.9')
      .replaceAll('$timeout', '5')
      .replaceAll('$memory_limit', '805306368');
  const ofPanels = panelsOf(dashboard).flatMap((panel) =>
    list(at(panel, 'targets')).map((target) => ({
      panel: String(at(panel, 'title')),
      query: asked(at(target, 'expr')),
    })),
  );
  const ofAnnotations = list(at(dashboard, 'annotations', 'list')).map((annotation) => ({
    panel: String(at(annotation, 'name')),
    query: asked(at(annotation, 'expr')),
  }));
  return [...ofPanels, ...ofAnnotations];
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
