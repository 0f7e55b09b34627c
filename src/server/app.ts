import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';

import { HttpError } from './http.ts';

/** Handles one method of a path. */
export interface Route {
  readonly path: string;
  /** GET stands for HEAD, too. */
  readonly method: 'get' | 'post';
  readonly handler: RequestHandler;
  /** What to tell whoever comes with another method. */
  readonly otherMethod: string;
}

export interface AppOptions {
  /** Goes first, whatever the path. */
  readonly before?: RequestHandler | undefined;
  readonly routes: readonly Route[];
  /** What to tell whoever asks for another path. */
  readonly notFound: string;
  /** Answers what a handler throws, or rejects with. */
  readonly fail: (error: unknown, request: Request, response: Response) => void;
}

/** Creates the HTTP edge of a port: routes with a path to the letter, 404, 405, and one place where errors are answered. */
export function createApp({ before, routes, notFound, fail }: AppOptions): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.enable('case sensitive routing').enable('strict routing').set('query parser', 'simple');
  if (before !== undefined) app.use(before);
  for (const { path, method, handler, otherMethod } of routes) {
    const allow = method === 'get' ? 'GET, HEAD' : 'POST';
    app
      .route(path)
      [method](handler)
      .all(() => {
        throw new HttpError(405, otherMethod, { Allow: allow });
      });
  }
  app.use(() => {
    throw new HttpError(404, notFound);
  });
  // Express knows an error handler by its four parameters.
  const onError: ErrorRequestHandler = (error, request, response, _next) => fail(error, request, response);
  return app.use(onError);
}
