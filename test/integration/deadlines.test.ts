import { expect, test } from '@jest/globals';
import { createDeadlines } from '../../src/server/deadlines.ts';
import { eventually } from '../../tools/eventually.ts';

test('deadlines expire when they pass and not before, whatever the order they come in, and never once deleted', async () => {
  const deadlines = createDeadlines();
  const start = performance.now();
  const expired: { afterMs: number; isDue: boolean }[] = [];
  const deadline = (afterMs: number): { at: number; expire: () => void } => {
    const at = start + afterMs;
    return { at, expire: () => expired.push({ afterMs, isDue: performance.now() >= at }) };
  };
  const deleted = deadline(20);
  for (const each of [deadline(60), deleted, deadline(40), deadline(0), deadline(90)]) deadlines.add(each);
  deadlines.delete(deleted);
  await eventually('the last to expire', () => Promise.resolve(expired.length >= 4 || undefined));
  expect(expired).toEqual([0, 40, 60, 90].map((afterMs) => ({ afterMs, isDue: true })));

  deadlines.add({ at: performance.now(), expire: () => expired.push({ afterMs: NaN, isDue: true }) });
  await eventually('one that comes when none was left', () => Promise.resolve(expired.length === 5 || undefined));
});
