/**
 * What most people write who write a webhook in Node.
 * `node express.ts PORT CERT KEY`
 */
import express from 'express';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { answerTo } from './five-fields.ts';

const [, , port, cert = '', key = ''] = process.argv;

const app = express();
app.use(express.json({ limit: '16mb' }));
app.post('/validate', (request, response) => {
  response.type('application/json').send(answerTo(request.body));
});
createServer({ cert: readFileSync(cert), key: readFileSync(key) }, app).listen(Number(port), '127.0.0.1');
