/**
 * Ends the run where it is CI's, and else says loudly that some tests are skipped, and why.
 *
 * @throws the error itself, in CI
 */
export function failInCi(skipped: string, error: unknown): void {
  if (process.env['CI'] === 'true') throw error;
  const rule = '!'.repeat(100);
  const why = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${rule}\nSKIPPED: ${skipped}. ${why}\n${rule}\n`);
}

/** Returns what `get` finds; where it finds nothing, does as `failInCi` does and returns undefined. */
export async function unlessMissing<T>(skipped: string, get: () => Promise<T>): Promise<T | undefined> {
  return get().catch((error: unknown) => {
    failInCi(skipped, error);
    return undefined;
  });
}
