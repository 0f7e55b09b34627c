/** Writes a value as JSON for programs, indented for whoever reads it after all. */
export function jsonText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Tells whether a command line asks for JSON, also where it is wrong otherwise. */
export function asksForJson(args: readonly string[]): boolean {
  return args.some(
    (arg, index) =>
      /^(?:-o=?|--output=)json$/.test(arg) || (/^(?:-o|--output)$/.test(arg) && args[index + 1] === 'json'),
  );
}
