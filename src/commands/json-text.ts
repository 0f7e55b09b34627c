/** Writes a value as JSON for programs, indented for whoever reads it after all. */
export function jsonText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
