import type { Express, NextFunction, Request, Response } from 'express';
import { Registry } from 'prom-client';

import type { BuildInfo } from '../build-info.ts';
import { createApp, HttpError, statusBody } from './http.ts';
import type { Logger } from './log.ts';
import { toOpenMetrics } from './metrics.ts';

/** One condition of being ready. */
export interface Check {
  readonly name: string;
  /** Says what is wrong; undefined: nothing. */
  readonly problem: () => string | undefined;
}

export interface ProbesOptions {
  readonly registry: Registry;
  readonly build: BuildInfo;
  readonly checks: readonly Check[];
  readonly log: Logger;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** Creates what the plain port serves: metrics, probes and the version, for GET and HEAD. */
export function createProbes({ registry, build, checks, log }: ProbesOptions): Express {
  const app = createApp();
  app.get('/metrics', async (request, response) => {
    const text = await registry.metrics();
    // Whoever names the format can read it: so decide Prometheus' own clients (client_java, ExpositionFormats).
    if (request.get('Accept')?.includes('application/openmetrics-text') === true)
      send(response, 200, Registry.OPENMETRICS_CONTENT_TYPE, toOpenMetrics(text));
    else send(response, 200, Registry.PROMETHEUS_CONTENT_TYPE, text);
  });
  app.get('/livez', (_request, response) => send(response, 200, TEXT, 'ok'));
  app.get('/readyz', (request, response) => {
    const { isReady, report } = inspect(checks);
    send(response, isReady ? 200 : 503, TEXT, isReady && request.query['verbose'] === undefined ? 'ok' : report);
  });
  app.get('/version', (_request, response) => send(response, 200, JSON_TYPE, JSON.stringify(build)));
  app.use((request: Request) => {
    const isKnown = ['/metrics', '/livez', '/readyz', '/version'].includes(request.path);
    throw isKnown
      ? new HttpError(405, 'GET only', { Allow: 'GET, HEAD' })
      : new HttpError(404, 'there is nothing here');
  });
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    const answer = error instanceof HttpError ? error : new HttpError(500, 'internal error');
    if (answer !== error) log.error({ err: error }, 'fault on the plain port');
    if (response.headersSent) next();
    else send(response.set(answer.headers), answer.code, JSON_TYPE, statusBody(answer));
  });
  return app;
}

/** Runs every check and writes them the way Kubernetes' own components do. */
function inspect(checks: readonly Check[]): { isReady: boolean; report: string } {
  const results = checks.map(({ name, problem }) => ({ name, problem: problem() }));
  const isReady = results.every(({ problem }) => problem === undefined);
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
  );
  return { isReady, report: [...lines, `readyz check ${isReady ? 'passed' : 'failed'}`, ''].join('\n') };
}

function send(response: Response, code: number, type: string, body: string): void {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
