/** Who does what with whom, from top to bottom. */
export interface Sequence {
  readonly title: string;
  /** What the picture says, for those who do not see it. */
  readonly description: string;
  readonly participants: readonly string[];
  readonly steps: readonly Step[];
}

/** `from`, `to` and `at` are places in the list of participants. */
export type Step =
  | { readonly kind: 'arrow'; readonly from: number; readonly to: number; readonly text: string }
  | { readonly kind: 'note'; readonly at: number; readonly lines: readonly string[] }
  | { readonly kind: 'heading'; readonly text: string };

/** Lengths are in pixels. */
const COLUMN = 270;
const HEAD_HEIGHT = 64;
const LINE_HEIGHT = 18;
const NOTE_WIDTH = 250;
const MARGIN = 16;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; text-anchor: middle; }
  .heading, .over { paint-order: stroke; stroke: #ffffff; stroke-width: 6px; }
  .name, .heading { font-weight: 600; }
  .box { fill: #ddf4ff; stroke: #0969da; }
  .note { fill: #fff8c5; stroke: #bf8700; }
  .life { stroke: #8c959f; stroke-dasharray: 4 4; }
  .arrow { stroke: #1f2328; fill: none; marker-end: url(#head); }
  .rule { stroke: #d0d7de; }
`;

/** Draws a sequence as an SVG that needs no other file. */
export function sequenceSvg({ title, description, participants, steps }: Sequence): string {
  const width = participants.length * COLUMN;
  const drawn: string[] = [];
  let top = HEAD_HEIGHT + MARGIN;
  for (const step of steps) {
    drawn.push(draw(step, top, width));
    top += heightOf(step);
  }
  const height = top + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(title)}</title>
<desc id="desc">${escaped(description)}</desc>
<style>${STYLE}</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 10 5 0 10z" fill="#1f2328"/></marker></defs>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${[...participants.map((name, i) => column(name, i, height)), ...drawn].join('\n')}
</svg>
`;
}

function heightOf(step: Step): number {
  if (step.kind === 'note') return step.lines.length * LINE_HEIGHT + 2 * MARGIN;
  return step.kind === 'heading' ? 3 * LINE_HEIGHT : 2.5 * LINE_HEIGHT;
}

function draw(step: Step, top: number, width: number): string {
  switch (step.kind) {
    case 'arrow':
      return arrow(middle(step.from), middle(step.to), top + 1.5 * LINE_HEIGHT, step.text);
    case 'note':
      return note(middle(step.at), top, step.lines);
    case 'heading':
      return heading(step.text, top, width);
  }
}

function middle(participant: number): number {
  return (participant + 0.5) * COLUMN;
}

function column(name: string, place: number, height: number): string {
  const x = middle(place);
  const left = x - NOTE_WIDTH / 2;
  return `<line class="life" x1="${x}" y1="${HEAD_HEIGHT}" x2="${x}" y2="${height - MARGIN}"/>
<rect class="box" x="${left}" y="${MARGIN}" width="${NOTE_WIDTH}" height="${HEAD_HEIGHT - MARGIN}" rx="6"/>
${label(name, x, MARGIN + (HEAD_HEIGHT - MARGIN) / 2 + 4, 'name')}`;
}

function arrow(from: number, to: number, y: number, text: string): string {
  return `<line class="arrow" x1="${from}" y1="${y}" x2="${to}" y2="${y}"/>
${label(text, (from + to) / 2, y - 9, 'over')}`;
}

function note(x: number, top: number, lines: readonly string[]): string {
  const height = lines.length * LINE_HEIGHT + MARGIN;
  const texts = lines.map((line, i) => label(line, x, top + MARGIN + 4 + i * LINE_HEIGHT));
  return `<rect class="note" x="${x - NOTE_WIDTH / 2}" y="${top}" width="${NOTE_WIDTH}" height="${height}" rx="4"/>
${texts.join('\n')}`;
}

function heading(text: string, top: number, width: number): string {
  return `<line class="rule" x1="0" y1="${top + MARGIN}" x2="${width}" y2="${top + MARGIN}"/>
${label(text, width / 2, top + MARGIN + LINE_HEIGHT, 'heading')}`;
}

function label(text: string, x: number, y: number, style?: string): string {
  return `<text${style === undefined ? '' : ` class="${style}"`} x="${x}" y="${y}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
