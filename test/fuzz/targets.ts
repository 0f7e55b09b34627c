import { readdirSync, readFileSync } from 'node:fs';

import { judgeUpdate } from './judgement.ts';
import { judgePolicy } from './policy.ts';

/** What can be fuzzed: what throws where an input shows a fault, and the inputs to begin with. */
export const TARGETS = {
  judgement: { judge: judgeUpdate, seeds: seedsIn('./seeds/judgement/') },
  policy: { judge: judgePolicy, seeds: seedsIn('./seeds/policy/') },
} as const;

export type TargetName = keyof typeof TARGETS;

function seedsIn(folder: string): string[] {
  const url = new URL(folder, import.meta.url);
  return readdirSync(url).map((name) => readFileSync(new URL(name, url), 'utf8'));
}
