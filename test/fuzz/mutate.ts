import { HOSTILE_KEYS, NO_QUANTITIES, NUMBERS, QUANTITIES, SECRET_TEXT, STRINGS } from '../support/hostile-values.ts';

/** A source of whole numbers from 0 up to and without `limit`. */
export type Random = (limit: number) => number;

/** Makes a source of numbers that are the same for the same seed: mulberry32, by Tommy Ettinger, public domain. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

export function pick<T>(items: readonly T[], random: Random): T | undefined {
  return items[random(Math.max(1, items.length))];
}

/** Strings, words, single signs and ends of lines: what JSON and YAML are made of. */
const TOKEN = /"(?:[^"\\\n]|\\.)*"|[\w.+-]+|[^\S\n]+|[^]/gu;

const OPENING = '{[';
const CLOSING = '}]';

const VALUES: readonly string[] = [
  ...['null', 'true', 'false', '[]', '{}', '[null]', '{"a":null}', '[[]]'],
  ...NUMBERS.map(({ text }) => text),
  // No secrets: a mutation may put a value where it is shown.
  ...[...QUANTITIES.flat(), ...NO_QUANTITIES, ...STRINGS.filter((text) => !text.includes(SECRET_TEXT))].map((text) =>
    JSON.stringify(text),
  ),
];

const KEYS: readonly string[] = HOSTILE_KEYS.map((key) => JSON.stringify(key));

/** What a mutation draws from beside the text itself. */
export interface Material {
  readonly random: Random;
  /** Names of fields and the like, as they stand in a text. */
  readonly words: readonly string[];
  /** Returns another input that has led somewhere. */
  readonly another: () => string;
}

/** Changes a text in one to four places. */
export function mutate(text: string, material: Material): string {
  let mutated = text;
  for (let times = 1 + material.random(4); times > 0; times -= 1) {
    const mutation = pick(MUTATIONS, material.random);
    if (mutation !== undefined) mutated = mutation(mutated, material);
  }
  return mutated;
}

type Mutation = (text: string, material: Material) => string;

const MUTATIONS: readonly Mutation[] = [
  onTokens((tokens, { start, end }) => tokens.toSpliced(start, end - start)),
  onTokens((tokens, { start, end }, { random, words }) =>
    tokens.toSpliced(start, end - start, pick(random(2) === 0 ? VALUES : words, random) ?? ''),
  ),
  onTokens((tokens, { start, end }, { random }) =>
    tokens.toSpliced(random(tokens.length), 0, ...tokens.slice(start, end)),
  ),
  onTokens((tokens, { start, end }, { random }) => {
    const target = unitAt(tokens, random(tokens.length));
    return tokens.toSpliced(target.start, target.end - target.start, ...tokens.slice(start, end));
  }),
  onTokens((tokens, { start, end }, { random, another }) => {
    const others = tokensOf(another());
    const taken = unitAt(others, random(others.length));
    return tokens.toSpliced(start, end - start, ...others.slice(taken.start, taken.end));
  }),
  withEntry,
  withEntry,
  withCharacter,
  onLines((lines, from, to) => lines.toSpliced(to, 1, lines[from] ?? '')),
  onLines((lines, from, to) => lines.toSpliced(to, 0, lines[from] ?? '')),
  onLines((lines, from) => lines.toSpliced(from, 1)),
];

/** Tokens from `start` up to and without `end`: one, or from a bracket to the one that closes it. */
interface Unit {
  readonly start: number;
  readonly end: number;
}

function onTokens(change: (tokens: readonly string[], unit: Unit, material: Material) => readonly string[]): Mutation {
  return (text, material) => {
    const tokens = tokensOf(text);
    return change(tokens, unitAt(tokens, material.random(Math.max(1, tokens.length))), material).join('');
  };
}

function onLines(change: (lines: readonly string[], from: number, to: number) => readonly string[]): Mutation {
  return (text, { random }) => {
    const lines = text.split('\n');
    return change(lines, random(lines.length), random(lines.length)).join('\n');
  };
}

function tokensOf(text: string): readonly string[] {
  return text.match(TOKEN) ?? [];
}

function unitAt(tokens: readonly string[], start: number): Unit {
  let depth = 0;
  for (const [offset, token] of tokens.slice(start).entries()) {
    if (OPENING.includes(token)) depth += 1;
    if (CLOSING.includes(token)) depth -= 1;
    if (depth <= 0) return { start, end: start + offset + 1 };
  }
  return { start, end: Math.min(start + 1, tokens.length) };
}

/** Adds an entry to a map. */
function withEntry(text: string, { random, words }: Material): string {
  const tokens = tokensOf(text);
  const maps = [...tokens.keys()].filter((index) => tokens[index] === '{');
  const map = pick(maps, random);
  if (map === undefined) return text;
  const key = pick(random(4) === 0 ? KEYS : words, random);
  const entry = `${key}:${pick(VALUES, random)}${tokens[map + 1] === '}' ? '' : ','}`;
  return tokens.toSpliced(map + 1, 0, entry).join('');
}

function withCharacter(text: string, { random }: Material): string {
  const at = random(text.length + 1);
  const character = String.fromCodePoint(random(4) === 0 ? random(0x3000) : random(0x80));
  return text.slice(0, at) + character + text.slice(at + random(2));
}
