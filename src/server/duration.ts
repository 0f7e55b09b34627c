const MILLISECONDS_OF = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Reads a duration as Go writes it (`10s`, `1m30s`, `1.5h`, `0`), in milliseconds; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  return text
    .matchAll(/(?<amount>[\d.]+)(?<unit>[a-z]+)/g)
    .reduce((sum, [, amount = '', unit = '']) => sum + Number(amount) * (MILLISECONDS_OF.get(unit) ?? NaN), 0);
}
