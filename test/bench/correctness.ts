import { Agent } from 'node:https';

import { at } from '../../tools/json-at.ts';
import { call, type Endpoint } from '../support/https-client.ts';
import type { Serving } from './contender.ts';
import type { Review } from './reviews.ts';

/**
 * Sends reviews to a contender.
 *
 * @throws Error naming each that is not judged as it should be
 */
export async function requireRightVerdicts(
  ca: string,
  { port, path }: Serving,
  reviews: readonly Review[],
): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const wrong: string[] = [];
  for (const review of reviews) {
    const verdict = await verdictOn({ port, ca }, agent, path, review);
    if (verdict !== review.allowed) wrong.push(`${review.title}: ${String(verdict)}`);
  }
  agent.destroy();
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${reviews.length} wrong, such as ${wrong[0] ?? ''}`);
}

/** Returns whether a review is allowed, or else the status and start of an answer that says nothing of it. */
async function verdictOn(endpoint: Endpoint, agent: Agent, path: string, { text }: Review): Promise<unknown> {
  const answer = await call(endpoint, { path, body: text, agent });
  try {
    return at(JSON.parse(answer.text), 'response', 'allowed');
  } catch {
    return `${String(answer.status)} ${answer.text.replaceAll(/\s+/g, ' ').slice(0, 40)}`;
  }
}
