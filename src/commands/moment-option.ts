import { parseMoment } from '../policy/moment.ts';
import { UsageError } from './usage-error.ts';

/**
 * Reads the day or the moment that a flag gives; undefined where the flag is not given.
 *
 * @throws UsageError where it is neither
 */
export function momentOption(flag: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const moment = parseMoment(text);
  if (moment !== undefined) return moment;
  throw new UsageError([
    `${flag}: ${JSON.stringify(text)} is not a day such as 2027-01-31 or a moment such as 2027-01-31T18:00:00Z`,
  ]);
}
