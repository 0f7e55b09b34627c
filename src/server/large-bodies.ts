import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { CompletePolicy } from '../policy/document.ts';
import { HttpError, type ErrorCode } from './http.ts';
import type { Judgement } from './judge.ts';

/** What the thread answers to a body. */
export type Reply =
  | { readonly judgement: Judgement }
  | { readonly refusal: { readonly code: ErrorCode; readonly message: string } }
  | { readonly fault: unknown };

/** Judges large bodies, one at a time. */
export interface LargeBodyJudge {
  /**
   * Takes the body away from whoever gives it, and returns its judgement without objects. Rejects with an HttpError, or
   * with what went wrong: a thread that ends fails this body alone, and the next one gets a new thread.
   */
  judge(body: Uint8Array<ArrayBuffer>): Promise<Judgement>;
  end(): Promise<void>;
}

/**
 * Most that an API server sends unless `<`, `>` and `&` fill it: 1.5 MiB stored and 3 MiB requested. A thread that judged
 * more ends, and all of its memory is free before the next body needs as much.
 */
const LARGEST_BODY_OF_A_THREAD_THAT_STAYS = 4.5 * 1024 * 1024;

/** Beside this file, whether it is a source or the bundle. */
const ENTRY = new URL(`./judging-worker${extname(import.meta.url)}`, import.meta.url);

/**
 * Creates the judge of large bodies: a thread of its own, so that parsing one of 20 MiB delays neither a probe nor
 * another request. It starts with the first of them, since most processes never see one.
 */
export function createLargeBodyJudge(policy: CompletePolicy): LargeBodyJudge {
  let worker: Worker | undefined;

  const judge = async (body: Uint8Array<ArrayBuffer>): Promise<Judgement> => {
    const current = (worker ??= new Worker(ENTRY, { workerData: policy }));
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const fail = (error: unknown): void => {
      if (worker === current) worker = undefined;
      reject(error instanceof Error ? error : new Error('the judging thread ended'));
    };
    current.once('message', resolve).once('error', fail).once('exit', fail);
    const { length } = body;
    current.postMessage(body, [body.buffer]);
    try {
      return judgementOf(await promise);
    } finally {
      current.off('message', resolve).off('exit', fail);
      if (length > LARGEST_BODY_OF_A_THREAD_THAT_STAYS) {
        worker = undefined;
        await current.terminate();
      }
    }
  };
  return {
    judge,
    end: async () => {
      await worker?.terminate();
    },
  };
}

function judgementOf(reply: Reply): Judgement {
  if ('judgement' in reply) return reply.judgement;
  throw 'refusal' in reply ? new HttpError(reply.refusal.code, reply.refusal.message) : reply.fault;
}
