import { open, type FileHandle } from 'node:fs/promises';

import type { CommandContext } from './context.ts';
import { UsageError } from './usage-error.ts';

/** Asked for stdin only where it is to be read: to touch it opens it. */
export type InputContext = Pick<CommandContext, 'stdin'>;

const MIB = 1024 * 1024;
/** Some five thousand jobs as `kubectl get -o yaml` prints them. To read YAML takes some thirty times its size in memory. */
const MAX_FILE_MIB = 32;

/**
 * Reads a file of UTF-8 text of at most 32 MiB, with or without a byte order mark; `-` is stdin.
 *
 * @throws UsageError where it cannot be read, or is not UTF-8
 */
export async function readText(file: string, context: InputContext): Promise<string> {
  const bytes = await readBytes(file, context);
  if (bytes.includes(0)) throw new UsageError([`${nameOf(file)}: is a binary file, not text`]);
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

async function readBytes(file: string, { stdin }: InputContext): Promise<Uint8Array> {
  try {
    return file === '-' ? await readStream(stdin) : await readFile(file);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError([`${nameOf(file)}: ${readProblem(error)}`]);
  }
}

async function readFile(file: string): Promise<Uint8Array> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  if (size > MAX_FILE_MIB * MIB) throw tooLarge(file);
  return await readHandle(handle, file);
}

/** What is no regular file, such as a pipe, has no size before it is read. */
async function readHandle(handle: FileHandle, file: string): Promise<Uint8Array> {
  const bytes = await handle.readFile();
  if (bytes.length > MAX_FILE_MIB * MIB) throw tooLarge(file);
  return bytes;
}

async function readStream(stream: CommandContext['stdin']): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_FILE_MIB * MIB) throw tooLarge('-');
  }
  return Buffer.concat(chunks);
}

function tooLarge(file: string): UsageError {
  return new UsageError([`${nameOf(file)}: is larger than ${MAX_FILE_MIB} MiB`]);
}

/** Says why a file or folder cannot be read. */
export function readProblem(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return PROBLEMS.get(code) ?? `cannot be read: ${String(error).replace(/^Error: /, '')}`;
}

const PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EISDIR', 'is a folder; a file is expected here'],
  ['EACCES', 'may not be read: permission denied'],
]);
