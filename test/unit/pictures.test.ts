import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { pictures } from '../../tools/pictures/pictures.ts';
import { sequenceSvg, type Step } from '../../tools/pictures/sequence.ts';

const drawn = [...pictures()].map(([path, svg]) => ({ name: basename(path), path, svg }));

describe.each(drawn)('the picture $name', ({ path, svg }) => {
  test('is as `make pictures` draws it', () => {
    expect(readFileSync(path, 'utf8')).toBe(svg);
  });

  test('has room for every text, between its edges', () => {
    const width = Number(/width="(\d+)"/.exec(svg)?.[1]);
    // A letter of this size is some 7 pixels wide.
    const outside = [...svg.matchAll(/<text[^>]* x="([\d.]+)"[^>]*>([^<]*)</g)].filter(
      ([, x = '', text = '']) => Number(x) - 3.5 * text.length < 0 || Number(x) + 3.5 * text.length > width,
    );
    expect(outside.map(([, , text]) => text)).toEqual([]);
  });
});

test.each<{ what: string; step: Step; shown: string }>([
  {
    what: 'an arrow, from the middle of one column to that of another',
    step: { kind: 'arrow', from: 0, to: 1, text: 'a < b & c' },
    shown:
      '<line class="arrow" x1="135" y1="107" x2="405" y2="107"/>\n<text class="over" x="270" y="98">a &lt; b &amp; c</text>',
  },
  {
    what: 'a note, with a line a text',
    step: { kind: 'note', at: 1, lines: ['one', 'two'] },
    shown:
      '<rect class="note" x="280" y="80" width="250" height="52" rx="4"/>\n<text x="405" y="100">one</text>\n<text x="405" y="118">two</text>',
  },
  {
    what: 'a heading, below a rule',
    step: { kind: 'heading', text: 'later' },
    shown: '<line class="rule" x1="0" y1="96" x2="540" y2="96"/>\n<text class="heading" x="270" y="114">later</text>',
  },
])('$what is drawn', ({ step, shown }) => {
  expect(sequenceSvg({ title: 't', description: 'd', participants: ['a', 'b'], steps: [step] })).toContain(shown);
});
