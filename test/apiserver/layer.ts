import { describe, jest } from '@jest/globals';
import { NO_CONTROL_PLANE } from './setup.ts';

// A control plane starts in six seconds, and in many more on a busy machine; this holds for hooks and tests.
jest.setTimeout(120_000);

/** `describe` for what needs a control plane: its tests count as skipped where there can be none. */
export const describeWithControlPlane = process.env[NO_CONTROL_PLANE] === undefined ? describe : describe.skip;
