const MOMENT = /^(?<day>\d{4}-\d\d-\d\d)(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Reads a day (`2027-01-31`, which begins in UTC) or a moment of RFC 3339; undefined where `text` is neither. */
export function parseMoment(text: string): Date | undefined {
  const day = MOMENT.exec(text)?.groups?.['day'];
  const moment = new Date(text);
  if (day === undefined || Number.isNaN(moment.getTime())) return undefined;
  // Date.parse takes the 30th of February for the 2nd of March.
  return new Date(day).toISOString().startsWith(day) ? moment : undefined;
}
