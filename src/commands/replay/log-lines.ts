import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import { nameOf, type InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';

/** One line of a log, and where it stands. */
export interface LogLine {
  readonly file: string;
  /** The first one is 1. */
  readonly line: number;
  readonly text: string;
  /** Whether the file ends with it, without a newline: it may have been cut off. */
  readonly isUnfinished: boolean;
}

/** Ten times what an audit event has at most: two objects of 1.5 MiB, each written as JSON. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

const NEWLINE = 0x0a;
const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * Reads the lines of a log, gzipped or not, as a stream; `-` is stdin.
 *
 * @throws UsageError where the file cannot be read, or has a line of more than 32 MiB
 */
export async function* logLines(file: string, context: InputContext): AsyncGenerator<LogLine> {
  const name = nameOf(file);
  try {
    yield* linesOf(name, plainBytes(file === '-' ? context.stdin : createReadStream(file)));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError([`${name}: cannot be read: ${String(error).replace(/^Error: /, '')}`]);
  }
}

async function* linesOf(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<LogLine> {
  let line = 1;
  let begun: Buffer[] = [];
  for await (const chunk of bytes) {
    const pieces = splitLines(chunk);
    const last = pieces.pop() ?? Buffer.of();
    for (const piece of pieces) {
      yield { file, line, text: Buffer.concat([...begun, piece]).toString(), isUnfinished: false };
      [begun, line] = [[], line + 1];
    }
    begun.push(last);
    if (lengthOf(begun) > MAX_LINE_BYTES) throw new UsageError([`${file}:${line}: is longer than 32 MiB`]);
  }
  const text = Buffer.concat(begun).toString();
  if (text !== '') yield { file, line, text, isUnfinished: true };
}

/** Returns what stands before, between and behind the newlines. */
function splitLines(chunk: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
    pieces.push(chunk.subarray(start, end));
    start = end + 1;
  }
  return [...pieces, chunk.subarray(start)];
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Returns what a stream holds, unpacked where it is gzipped. */
async function* plainBytes(stream: Readable): AsyncGenerator<Buffer> {
  const first = await firstChunk(stream);
  if (first === undefined) return;
  stream.unshift(first);
  const isGzipped = GZIP_MAGIC.every((byte, index) => first[index] === byte);
  // What goes wrong is thrown to whoever reads the last of them.
  yield* isGzipped ? pipeline(stream, createGunzip(), () => undefined) : stream;
}

async function firstChunk(stream: Readable): Promise<Buffer | undefined> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) return chunk as Buffer;
  return undefined;
}
