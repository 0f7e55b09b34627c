/** Returns what stands at `path` in a JSON value of any shape, or undefined: `at(job, 'metadata', 'uid')`. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((node, key) => {
    if (typeof node !== 'object' || node === null) return undefined;
    const found: unknown = Object.getOwnPropertyDescriptor(node, key)?.value;
    return found;
  }, value);
}
