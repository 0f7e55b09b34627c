import { describe, expect, test } from '@jest/globals';
import { setImmediate as breath } from 'node:timers/promises';

import { createTurns } from '../../src/server/turns.ts';

describe('turns', () => {
  test.each([
    { what: 'of one client are in the order of asking', asked: ['a1', 'a2', 'a3'], given: ['a1', 'a2', 'a3'] },
    { what: 'alternate', asked: ['a1', 'a2', 'a3', 'b1', 'b2'], given: ['a1', 'b1', 'a2', 'b2', 'a3'] },
    { what: 'go round', asked: ['a1', 'a2', 'b1', 'c1', 'a3'], given: ['a1', 'b1', 'c1', 'a2', 'a3'] },
  ])('$what', async ({ asked, given }) => {
    const inTurn = createTurns();
    const order: string[] = [];
    await Promise.all(asked.map(async (name) => inTurn(name.slice(0, 1), () => Promise.resolve(order.push(name)))));
    expect(order).toEqual(given);
  });

  test('come one at a time, and whoever comes between two of another client is next', async () => {
    const inTurn = createTurns();
    const order: string[] = [];
    const ask = async (name: string): Promise<unknown> =>
      inTurn(name.slice(0, 1), () => Promise.resolve(order.push(name)));
    const flood = ['a1', 'a2', 'a3', 'a4'].map(ask);
    await breath();
    expect(order).toEqual(['a1']);
    const late = ask('b1');
    await Promise.all([...flood, late]);
    expect(order).toEqual(['a1', 'b1', 'a2', 'a3', 'a4']);
  });
});
