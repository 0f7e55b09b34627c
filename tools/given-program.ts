import { existsSync } from 'node:fs';

/**
 * Returns the path of a program that an environment variable names, or undefined where it names none.
 *
 * @throws Error if there is no such file
 */
export function givenProgram(variable: string): string | undefined {
  const path = process.env[variable] ?? '';
  if (path === '') return undefined;
  if (!existsSync(path)) throw new Error(`${variable}=${path} does not exist`);
  return path;
}
