import { describe, jest } from '@jest/globals';
import { NO_PROMETHEUS } from './setup.ts';

// A control plane starts in six seconds, and in many more on a busy machine; this holds for hooks and tests.
jest.setTimeout(180_000);

/** `describe` for what needs Prometheus, helm or a control plane: its tests count as skipped where there can be none. */
export const describeMonitoring = process.env[NO_PROMETHEUS] === undefined ? describe : describe.skip;
