import { expect, test } from '@jest/globals';
import { createDeadlines } from '../../src/server/deadlines.ts';
import { eventually } from '../../tools/eventually.ts';

test('deadlines strike when they pass and not before, whatever the order they come in, and never once deleted', async () => {
  const deadlines = createDeadlines();
  const start = performance.now();
  const struck: { afterMs: number; isDue: boolean }[] = [];
  const deadline = (afterMs: number): { at: number; strike: () => void } => {
    const at = start + afterMs;
    return { at, strike: () => struck.push({ afterMs, isDue: performance.now() >= at }) };
  };
  const deleted = deadline(20);
  for (const each of [deadline(60), deleted, deadline(40), deadline(0), deadline(90)]) deadlines.add(each);
  deadlines.delete(deleted);
  await eventually('the last to strike', () => Promise.resolve(struck.length >= 4 || undefined));
  expect(struck).toEqual([0, 40, 60, 90].map((afterMs) => ({ afterMs, isDue: true })));

  deadlines.add({ at: performance.now(), strike: () => struck.push({ afterMs: NaN, isDue: true }) });
  await eventually('one that comes when none was left', () => Promise.resolve(struck.length === 5 || undefined));
});
