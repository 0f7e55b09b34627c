import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import { Registry } from 'prom-client';

import type { BuildInfo } from '../telemetry/build-info.ts';
import { HttpError, pathOf, statusBody } from './http.ts';
import type { Logger } from '../telemetry/log.ts';
import { toOpenMetrics } from '../telemetry/metrics.ts';
import { inspect, type Check } from '../telemetry/readiness.ts';

export interface ProbesOptions {
  readonly registry: Registry;
  readonly build: BuildInfo;
  readonly checks: readonly Check[];
  readonly log: Logger;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** What is answered with 200, unless `code` says otherwise. */
interface Page {
  readonly code?: number;
  readonly type: string;
  readonly body: string;
}

type Route = (request: IncomingMessage) => Page | Promise<Page>;

/** Creates what the plain port serves: metrics, probes and the version, for GET and HEAD. */
export function createProbes({ registry, build, checks, log }: ProbesOptions): RequestListener {
  const routes = new Map<string, Route>([
    ['/metrics', ({ headers }) => metricsPage(registry, headers.accept)],
    ['/livez', () => ({ type: TEXT, body: 'ok' })],
    ['/readyz', ({ url = '' }) => readinessPage(checks, url)],
    ['/version', () => ({ type: JSON_TYPE, body: JSON.stringify(build) })],
  ]);

  return (request, response) => {
    pageOf(routes, request)
      .then(({ code = 200, type, body }) => send(response, code, type, body))
      .catch((error: unknown) => {
        const answer = error instanceof HttpError ? error : new HttpError(500, 'internal error');
        if (answer !== error) log.error({ err: error }, 'fault on the plain port');
        if (response.headersSent) response.destroy();
        else
          send(
            response.setHeaders(new Map(Object.entries(answer.headers))),
            answer.code,
            JSON_TYPE,
            statusBody(answer),
          );
      });
  };
}

async function pageOf(routes: ReadonlyMap<string, Route>, request: IncomingMessage): Promise<Page> {
  const { method = '', url = '' } = request;
  const route = routes.get(pathOf(url));
  if (route === undefined) throw new HttpError(404, 'there is nothing here');
  if (!['GET', 'HEAD'].includes(method)) throw new HttpError(405, 'GET only', { Allow: 'GET, HEAD' });
  return route(request);
}

async function metricsPage(registry: Registry, accept = ''): Promise<Page> {
  const text = await registry.metrics();
  // Whoever names the format can read it: so decide Prometheus' own clients (client_java, ExpositionFormats).
  return accept.includes('application/openmetrics-text')
    ? { type: Registry.OPENMETRICS_CONTENT_TYPE, body: toOpenMetrics(text) }
    : { type: Registry.PROMETHEUS_CONTENT_TYPE, body: text };
}

function readinessPage(checks: readonly Check[], url: string): Page {
  const { isReady, report } = inspect(checks);
  const isVerbose = new URLSearchParams(url.split('?')[1]).has('verbose');
  return { code: isReady ? 200 : 503, type: TEXT, body: isReady && !isVerbose ? 'ok' : report };
}

function send(response: ServerResponse, code: number, type: string, body: string): void {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
