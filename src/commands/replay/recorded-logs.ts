import type { InputContext } from '../text-file.ts';
import { UsageError } from '../usage-error.ts';
import { logLines, type LogLine } from './log-lines.ts';
import { readRecorded, type Recorded } from './recorded.ts';

/** What is read of several logs, in the order of time, whatever order the files have. */
export interface RecordedLogs {
  readonly recorded: AsyncGenerator<Recorded>;
  /** How many lines were read so far. */
  readonly lines: () => number;
}

/**
 * Reads logs as a stream. Of lines in which none of the `words` stands nothing is read but their number.
 *
 * `recorded` throws a UsageError where a file cannot be read, or a line in it is not JSON; the last line may be cut off.
 */
export function readLogs(files: readonly string[], words: readonly string[], context: InputContext): RecordedLogs {
  let lines = 0;
  async function* recordedIn(file: string): Head['source'] {
    for await (const line of logLines(file, context)) {
      lines += 1;
      const recorded = words.some((word) => line.text.includes(word)) ? parse(line) : undefined;
      if (recorded !== undefined) yield recorded;
    }
    return undefined;
  }
  return { recorded: inOrder(files.map(recordedIn)), lines: () => lines };
}

function parse({ file, line, text, isUnfinished }: LogLine): Recorded | undefined {
  try {
    return readRecorded(text);
  } catch {
    // What rotates a log may cut its last line off.
    if (isUnfinished) return undefined;
    throw new UsageError([
      `${file}:${line}: is not JSON; audit logs and jobguard's own log have one JSON object a line`,
    ]);
  }
}

/** Merges sources, each in the order of time: always the earliest of what comes next in each. */
async function* inOrder(sources: readonly Head['source'][]): AsyncGenerator<Recorded> {
  const heads: Head[] = [];
  for (const source of sources) heads.push(...(await headOf(source)));
  while (heads.length > 0) {
    const head = heads.reduce((first, each) => (each.next.time < first.next.time ? each : first));
    yield head.next;
    heads.splice(heads.indexOf(head), 1, ...(await headOf(head.source)));
  }
}

interface Head {
  readonly source: AsyncGenerator<Recorded, undefined>;
  readonly next: Recorded;
}

/** Returns what comes next in a source; nothing at its end. */
async function headOf(source: Head['source']): Promise<Head[]> {
  const { value } = await source.next();
  return value === undefined ? [] : [{ source, next: value }];
}
