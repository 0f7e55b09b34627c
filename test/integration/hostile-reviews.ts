import { heapBytes, MAX_HEAP_BYTES } from '../../src/server/density.ts';
import { reviewText } from '../support/review.ts';

/** What a hostile body consists of, again and again up to the limits. */
export interface Hostile {
  readonly what: string;
  readonly open: string;
  readonly close: string;
  readonly item: (index: number) => string;
}

const NOT_LATIN = '☃';
/** As deep as jobguard goes, around the lists of the job. */
const LEVELS = 29_000;
const LONG_NUMBER = '12345678901234567890';

/** Four keys in an order of the index's own. */
function permuted(index: number): string {
  return [0, 1, 2, 3]
    .map((place) => `"${String.fromCharCode(97 + (Math.floor(index / 26 ** place) % 26))}":1`)
    .join(',');
}

export const HOSTILE: readonly Hostile[] = [
  { what: 'distinct keys', open: '{', item: (index) => `"k${index}":1,`, close: '"":1}' },
  {
    what: 'distinct keys, a character beyond Latin-1 and a long number',
    open: '{',
    item: (index) => `"k${index}":1,`,
    close: `"${NOT_LATIN}":${LONG_NUMBER}}`,
  },
  { what: 'maps of a shape each', open: '[', item: (index) => `{"k${index}":1},`, close: '0]' },
  { what: 'maps of two keys', open: '[', item: (index) => `{"k${index}":1,"l${index}":1},`, close: '0]' },
  {
    what: 'maps of permuted keys',
    open: '[',
    item: (index) => `{${permuted(index)}},`,
    close: '0]',
  },
  { what: 'maps in maps', open: '[', item: () => `${'{"":'.repeat(LEVELS)}0${'}'.repeat(LEVELS)},`, close: '0]' },
  { what: 'lists in lists', open: '[', item: () => `${'['.repeat(LEVELS)}${']'.repeat(LEVELS)},`, close: '0]' },
  { what: 'empty maps', open: '[', item: () => '{},', close: '0]' },
  { what: 'small strings', open: '[', item: () => '"ab",', close: '0]' },
  { what: 'fractions', open: '[', item: () => '1.5,', close: '0]' },
  {
    what: 'exponents among small numbers',
    open: '[',
    item: (index) => (index % 1000 === 0 ? '1e999,' : '1,'),
    close: '0]',
  },
  {
    what: 'long numbers among fractions',
    open: '[',
    item: (index) => (index % 1000 === 0 ? `${LONG_NUMBER},` : '1.5,'),
    close: `"${NOT_LATIN}"]`,
  },
  { what: 'one long text', open: '[', item: () => `"${NOT_LATIN.repeat(100_000)}",`, close: `"${NOT_LATIN}"]` },
];

/** Writes a review just below the limits: of as many items as they let through, and a text for the bytes that remain. */
export function bodyOf({ open, item, close }: Hostile, maxBytes: number): Buffer {
  const job = (stage: string, filling: string): string =>
    `{"metadata":{"labels":{"stage":"${stage}"}},"spec":{"tfReplicaSpecs":{"Worker":{"template":{"spec":{"tolerations":${filling}}}}}}}`;
  const review = (count: number, text: string): Buffer => {
    const items = Array.from({ length: count }, (_, index) => item(1_000_000 + index)).join('');
    return Buffer.from(reviewText({ oldObject: job(`a${text}`, '0'), object: job('b', `${open}${items}${close}`) }));
  };
  const room = (body: Buffer): number => Math.min(maxBytes - body.length, MAX_HEAP_BYTES - heapBytes(body));
  let count = Math.floor(maxBytes / item(1_000_000).length);
  let body = review(count, '');
  for (; room(body) < 0; body = review(count, '')) {
    count = Math.floor(count * 0.999 * Math.min(maxBytes / body.length, MAX_HEAP_BYTES / heapBytes(body)));
  }
  return review(count, 'x'.repeat(room(body)));
}
