import { describe, jest } from '@jest/globals';
import { NO_CHROMIUM } from './setup.ts';

// A browser starts in a second, and in many more on a busy machine; this holds for hooks and tests.
jest.setTimeout(120_000);

/** `describe` for what needs a browser: its tests count as skipped where there is none. */
export const describeInBrowser = process.env[NO_CHROMIUM] === undefined ? describe : describe.skip;
