/**
 * The floor with jobguard's judgement in place of a comparison: what is lost to the judgement, and what to limits, deadlines,
 * connections, metrics and log. `node judging-floor.ts PORT CERT KEY`
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { parseReview } from '../../../src/core/admission.ts';
import { decide } from '../../../src/core/decide.ts';
import { explain } from '../../../src/core/explain.ts';
import { reviewResponse } from '../../../src/core/review-response.ts';
import { compilePolicy } from '../../../src/policy/compile.ts';
import { completePolicy } from '../../../src/policy/complete.ts';
import { DEFAULT_POLICY_DOCUMENT } from '../../../src/policy/defaults.ts';

const [, , port, cert = '', key = ''] = process.argv;
const policy = compilePolicy(completePolicy(DEFAULT_POLICY_DOCUMENT));

function answerTo(text: string): { code: number; body: string } {
  try {
    const review = parseReview(text);
    const verdict = decide(policy, review, new Date());
    return { code: 200, body: JSON.stringify(reviewResponse(review, verdict, explain(policy, review, verdict))) };
  } catch {
    return { code: 400, body: '' };
  }
}

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { code, body } = answerTo(Buffer.concat(chunks).toString());
    response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}).listen(Number(port), '127.0.0.1');
