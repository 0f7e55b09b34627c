import type { Request, RequestHandler, Response } from 'express';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';

import type { Policy } from '../core/policy.ts';
import { createApp } from './app.ts';
import { createBodyReader, type BodyReaderOptions } from './body.ts';
import { checkClient } from './client-certificate.ts';
import { HttpError, statusBody } from './http.ts';
import { decodeBody, judge, withResource, type Judgement } from './judge.ts';
import type { LargeBodyJudge } from './large-bodies.ts';
import { logDecision, type Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface WebhookOptions {
  readonly policy: Policy;
  readonly body: BodyReaderOptions;
  readonly largeBodies: Pick<LargeBodyJudge, 'judge'>;
  /** undefined: whoever calls is answered. Empty: whoever the client authorities prove. */
  readonly allowedClients: readonly string[] | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Whether each answer is to be a connection's last. */
  readonly isDraining: () => boolean;
}

/**
 * How long what still comes of a request that was answered early is read and thrown away. To close at once would reset
 * the connection, and with it the answer that the client has not read yet.
 */
const LINGER_MS = 2_000;

/** A judgement, and how large the body was that it is of. */
interface JudgedBody extends Judgement {
  readonly bytes: number;
}

/** Creates what the secure port serves: `POST /validate`, and nothing else. */
export function createWebhook(options: WebhookOptions): RequestListener {
  const { policy, body, largeBodies, allowedClients, metrics, log, isDraining } = options;
  const judgeBody = createBodyReader<JudgedBody>(body, {
    // From the last byte of such a body to its answer nothing is waited for.
    small: (body) => ({ ...judge(policy, decodeBody(body)), bytes: body.length }),
    large: async (body) => {
      const bytes = body.length;
      return { ...withResource(policy, await largeBodies.judge(body)), bytes };
    },
  });

  const send = (request: IncomingMessage, response: ServerResponse, code: number, body: string): void => {
    metrics.recordAnswer(code);
    if (isDraining() || !request.complete) response.setHeader('Connection', 'close');
    response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    if (request.complete) response.end(body);
    else answerEarly(request, response, body);
  };

  const validate = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const start = performance.now();
    const { answer, bytes, ...judged } = await judgeBody(request);
    send(request, response, 200, answer);
    const durationMs = performance.now() - start;
    metrics.recordAdmission({ ...judged, seconds: durationMs / 1000, bytes });
    logDecision(log, { policy, ...judged, durationMs });
  };

  const fail = (error: unknown, request: Request, response: Response): void => {
    // The client has gone: there is nobody to answer.
    if (response.destroyed) return;
    const answer = toHttpError(error);
    if (answer.code === 500) logFault(log, error);
    else log.debug({ code: answer.code, reason: answer.message }, 'request refused');
    if (response.headersSent) response.destroy();
    else send(request, response.set(answer.headers), answer.code, statusBody(answer));
  };

  return createApp({
    before: allowedClients === undefined ? undefined : requireClient(allowedClients),
    routes: [
      { path: '/validate', method: 'post', handler: validate, otherMethod: 'an AdmissionReview is sent by POST' },
    ],
    notFound: 'there is nothing here: an AdmissionReview is sent to /validate',
    fail,
  });
}

function requireClient(allowedNames: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    checkClient(tlsSocketOf(request), allowedNames);
    next();
  };
}

function tlsSocketOf({ socket }: IncomingMessage): TLSSocket {
  if (socket instanceof TLSSocket) return socket;
  throw new TypeError('the webhook is served over TLS only');
}

function answerEarly(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.write(body);
  const end = (): void => {
    response.end();
  };
  const deadline = setTimeout(end, LINGER_MS);
  response.once('close', () => clearTimeout(deadline));
  request.once('end', end).resume();
}

function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  return new HttpError(500, 'jobguard could not judge this request; its log says why');
}

/** Logs a fault of ours by its name and place: its message could quote what it stumbled over, a value of the object. */
function logFault(log: Logger, error: unknown): void {
  const { name, stack = '' } =
    error instanceof Error ? error : new TypeError('something else than an Error was thrown');
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line));
  log.error({ error: name, stack: places.map((line) => line.trim()) }, 'fault while judging a request');
}
