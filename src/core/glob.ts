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
