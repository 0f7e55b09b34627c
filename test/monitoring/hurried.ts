const SECONDS: ReadonlyMap<string, number> = new Map([
  ['m', 1],
  ['h', 60],
  ['d', 1440],
]);

/** Makes each duration in rules and queries a sixtieth of what it is. */
export function hurried(text: string): string {
  return text.replaceAll(/(?<=[[:]|offset |"for":")(\d+)([mhd])(?![a-z])/g, (_match, count: string, unit: string) => {
    return `${Number(count) * (SECONDS.get(unit) ?? NaN)}s`;
  });
}
