import { join } from 'node:path';

import { run } from '../../../tools/child-process.ts';
import { at } from '../../../tools/json-at.ts';
import type { Judge } from '../in-process.ts';
import { imageFlags } from './jobguard.ts';

const PROGRAM = join(import.meta.dirname, '../judge-repeatedly.ts');

/** jobguard from the body of a request to that of its answer. */
export const jobguardInProcess: Judge = {
  name: 'jobguard',
  bytesPerSecond: 100e6,
  prepare: async () => {
    const flags = await imageFlags();
    const judge = async (reviewFile: string, times: number): Promise<unknown> => {
      const { code, stdout, stderr } = await run(process.execPath, [...flags, PROGRAM, reviewFile, String(times)]);
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    };
    return {
      version: `jobguard, Node ${process.version}: parse, decide, write the answer`,
      allows: async (reviewFile) => at(await judge(reviewFile, 1), 'allowed') === true,
      microseconds: async (reviewFile, times) => Number(at(await judge(reviewFile, times), 'microseconds')),
    };
  },
};
