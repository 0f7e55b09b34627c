import type { RequestHandler, Response } from 'express';
import type { RequestListener } from 'node:http';

import { Registry } from 'prom-client';

import { createApp, type Route } from './app.ts';
import type { BuildInfo } from '../telemetry/build-info.ts';
import { HttpError, statusBody } from './http.ts';
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

/** Creates what the plain port serves: metrics, probes and the version, for GET and HEAD. */
export function createProbes({ registry, build, checks, log }: ProbesOptions): RequestListener {
  return createApp({
    routes: [
      route('/metrics', async ({ headers }, response) => send(response, await metricsPage(registry, headers.accept))),
      route('/livez', (_request, response) => send(response, { type: TEXT, body: 'ok' })),
      route('/readyz', ({ query }, response) => send(response, readinessPage(checks, 'verbose' in query))),
      route('/version', (_request, response) => send(response, { type: JSON_TYPE, body: JSON.stringify(build) })),
    ],
    notFound: 'there is nothing here',
    fail: (error, _request, response) => {
      const answer = error instanceof HttpError ? error : new HttpError(500, 'internal error');
      if (answer !== error) log.error({ err: error }, 'fault on the plain port');
      if (response.headersSent) response.destroy();
      else send(response.set(answer.headers), { code: answer.code, type: JSON_TYPE, body: statusBody(answer) });
    },
  });
}

function route(path: string, handler: RequestHandler): Route {
  return { path, method: 'get', handler, otherMethod: 'GET only' };
}

async function metricsPage(registry: Registry, accept = ''): Promise<Page> {
  const text = await registry.metrics();
  // Whoever names the format can read it: so decide Prometheus' own clients (client_java, ExpositionFormats).
  return accept.includes('application/openmetrics-text')
    ? { type: Registry.OPENMETRICS_CONTENT_TYPE, body: toOpenMetrics(text) }
    : { type: Registry.PROMETHEUS_CONTENT_TYPE, body: text };
}

function readinessPage(checks: readonly Check[], isVerbose: boolean): Page {
  const { isReady, report } = inspect(checks);
  return { code: isReady ? 200 : 503, type: TEXT, body: isReady && !isVerbose ? 'ok' : report };
}

/** Not by `response.send`, which writes a Content-Type anew. */
function send(response: Response, { code = 200, type, body }: Page): void {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
