import { describe } from '@jest/globals';
import { NO_HELM } from './setup.ts';

/** `describe` for what needs helm or a control plane: its tests count as skipped where there can be none. */
export const describeChart = process.env[NO_HELM] === undefined ? describe : describe.skip;

/** For hooks that start or stop a control plane: about six seconds, and more on a busy machine. */
export const CONTROL_PLANE_TIMEOUT_MS = 120_000;

/** For tests that run a dozen programs, one after the other. */
export const MANY_PROGRAMS_TIMEOUT_MS = 120_000;
