import { UsageError } from '../usage-error.ts';

/** Every place of a command line that may be stdin, by its name; `-` is stdin. */
type Places = Readonly<Record<string, string | undefined>>;

/**
 * Refuses a command line that would read stdin twice.
 *
 * @throws UsageError
 */
export function requireOneStdin(places: Places): void {
  const [first, second] = Object.entries(places).flatMap(([name, file]) => (file === '-' ? [name] : []));
  if (second !== undefined) throw new UsageError([`${first} and ${second} cannot both be stdin`]);
}
