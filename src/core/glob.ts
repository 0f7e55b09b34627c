/**
 * Compiles a glob: `*` stands for any run of characters, none included, across `:` and `/` too; everything else is
 * literal, and the whole text must match. Takes one look at each part of the pattern, never steps back.
 */
export function compileGlob(glob: string): (text: string) => boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === glob;

  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

/** Compiles a list of globs into a test whether any of them matches. */
export function compileGlobs(globs: readonly string[]): (text: string) => boolean {
  const exact = new Set(globs.filter((glob) => !glob.includes('*')));
  const matchers = globs.filter((glob) => glob.includes('*')).map(compileGlob);
  return (text) => exact.has(text) || matchers.some((matches) => matches(text));
}

/** A glob, and the indexes of the lists that it is in. */
interface Entry {
  readonly glob: string;
  readonly lists: readonly number[];
  readonly matches: (text: string) => boolean;
}

/**
 * Compiles lists of globs into a look-up of the lists that match any of some texts: 1 at the index of each that does.
 * Only globs that begin, or end, as a text does are tried: thousands of lists cost little more than a few.
 */
export function compileGlobLists(lists: readonly (readonly string[])[]): (texts: readonly string[]) => Uint8Array {
  const matchingAll = Uint8Array.from(lists, (globs) => (globs.includes('*') ? 1 : 0));
  const byKind = Map.groupBy(entriesOf(lists), ({ glob }) => indexKindOf(glob));
  const exact = indexBy(byKind.get('exact'), (glob) => glob);
  const byStart = indexBy(byKind.get('start'), startOf);
  const byEnd = indexBy(byKind.get('end'), endOf);
  return (texts) => {
    const found = texts.length === 0 ? new Uint8Array(lists.length) : matchingAll.slice();
    const look = (text: string, entries: readonly Entry[] = []): void => {
      for (const { lists, matches } of entries) if (matches(text)) for (const list of lists) found[list] = 1;
    };
    for (const text of texts) {
      look(text, exact.entries.get(text));
      for (const length of byStart.lengths) look(text, byStart.entries.get(text.slice(0, length)));
      for (const length of byEnd.lengths) look(text, byEnd.entries.get(text.slice(-length)));
    }
    return found;
  };
}

/** Lists each glob once, however many lists it is in. */
function entriesOf(lists: readonly (readonly string[])[]): Entry[] {
  const places = lists.flatMap((globs, list) => globs.map((glob) => ({ glob, list })));
  return Map.groupBy(places, ({ glob }) => glob)
    .entries()
    .map(([glob, found]) => ({ glob, lists: found.map(({ list }) => list), matches: compileGlob(glob) }))
    .toArray();
}

/** Tells by what a glob is found: the longer of its ends, which fewer texts share. */
function indexKindOf(glob: string): 'exact' | 'start' | 'end' {
  if (!glob.includes('*')) return 'exact';
  return startOf(glob).length >= endOf(glob).length ? 'start' : 'end';
}

function startOf(glob: string): string {
  return glob.slice(0, glob.indexOf('*'));
}

function endOf(glob: string): string {
  return glob.slice(glob.lastIndexOf('*') + 1);
}

/** Entries by the part of their glob that a text must have, and how long such parts are. */
interface Index {
  readonly entries: ReadonlyMap<string, readonly Entry[]>;
  readonly lengths: readonly number[];
}

function indexBy(entries: readonly Entry[] = [], partOf: (glob: string) => string): Index {
  const byPart = Map.groupBy(entries, ({ glob }) => partOf(glob));
  return { entries: byPart, lengths: [...new Set(byPart.keys().map(({ length }) => length))] };
}
