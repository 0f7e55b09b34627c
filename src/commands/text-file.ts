import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

import type { CommandContext } from './context.ts';
import { UsageError } from './usage-error.ts';

/** Asked for stdin only where it is to be read: to touch it opens it. */
export type InputContext = Pick<CommandContext, 'stdin'>;

/**
 * Reads a file of UTF-8 text, with or without a byte order mark; `-` is stdin.
 *
 * @throws UsageError where it cannot be read, or is not UTF-8
 */
export async function readText(file: string, context: InputContext): Promise<string> {
  const bytes = await readBytes(file, context);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError([`${nameOf(file)}: is not UTF-8 text`]);
  }
}

/** Names a file as its reader knows it: `-` is stdin. */
export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

async function readBytes(file: string, context: InputContext): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(context.stdin) : await readFile(file);
  } catch (error) {
    throw new UsageError([`${nameOf(file)}: cannot be read: ${String(error).replace(/^Error: /, '')}`]);
  }
}
