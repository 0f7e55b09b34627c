/**
 * The least that a webhook in Node can do: read, parse, compare, answer. No checks, no limits, no metrics, no log.
 * `node floor.ts PORT CERT KEY`
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { answerTo } from './five-fields.ts';

const [, , port, cert = '', key = ''] = process.argv;

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = answerTo(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}).listen(Number(port), '127.0.0.1');
