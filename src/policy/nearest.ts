/** Farthest that a slip of the fingers goes; beyond it another word was meant. */
const MAX_SLIPS = 3;

/** Fewest letters that a beginning needs to say which word is meant. */
const MIN_BEGINNING = 3;

/**
 * Returns the candidate that `text` was most likely meant to be, upper and lower case aside; undefined where none is
 * near. A beginning of a candidate is near, as is what begins with one.
 */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const written = text.toLowerCase();
  const [best] = candidates
    .map((candidate) => ({ candidate, slips: slipsBetween(written, candidate.toLowerCase()) }))
    .filter(({ slips }) => slips <= MAX_SLIPS)
    .sort((a, b) => a.slips - b.slips);
  return best?.candidate;
}

/** Returns the candidate that `text` resembles most, however little; the first of several, undefined of none. */
export function leastFar(text: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, slips: editDistance(Array.from(text), Array.from(candidate)) }))
    .sort((a, b) => a.slips - b.slips);
  return best?.candidate;
}

function slipsBetween(written: string, meant: string): number {
  const slips = editDistance(Array.from(written), Array.from(meant));
  const shorter = Math.min(written.length, meant.length);
  if (shorter >= MIN_BEGINNING && (written.startsWith(meant) || meant.startsWith(written))) {
    return Math.min(slips, MAX_SLIPS);
  }
  // A short word shares letters with any other.
  return slips * 2 <= meant.length ? slips : Infinity;
}

/** Counts the letters to insert, delete or replace (Levenshtein), one row of the table at a time. */
function editDistance(a: readonly string[], b: readonly string[]): number {
  let row = [0, ...b.keys().map((index) => index + 1)];
  for (const [i, letter] of a.entries()) {
    const next = [i + 1];
    for (const [j, other] of b.entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
