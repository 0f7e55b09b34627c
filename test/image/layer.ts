import { describe } from '@jest/globals';
import { NO_DOCKER } from './setup.ts';

/** `describe` for what needs Docker: its tests count as skipped where there is none. */
export const describeWithDocker = process.env[NO_DOCKER] === undefined ? describe : describe.skip;

/** For what starts or stops a container, and more: a second or two, and more on a busy machine. */
export const CONTAINER_TIMEOUT_MS = 120_000;

/** Returns a variable that the setup of this layer has set. */
export function prepared(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`The setup of the image tests did not set ${variable}`);
  return value;
}
