import { parentPort, workerData } from 'node:worker_threads';

import { compilePolicy } from '../policy/compile.ts';
import type { CompletePolicy } from '../policy/document.ts';
import { HttpError } from './http.ts';
import { judgeLarge } from './judge.ts';
import type { Reply } from './large-bodies.ts';

// The entry of the thread that large-bodies.ts starts. It judges one body after the other.
const policy = compilePolicy(workerData as CompletePolicy);

function replyTo(body: Uint8Array<ArrayBuffer>): Reply {
  try {
    return { judgement: judgeLarge(policy, body) };
  } catch (error) {
    if (error instanceof HttpError) return { refusal: { code: error.code, message: error.message } };
    return { fault: error };
  }
}

parentPort?.on('message', (body: Uint8Array<ArrayBuffer>) => parentPort?.postMessage(replyTo(body)));
