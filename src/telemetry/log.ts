import type { Writable } from 'node:stream';

import { pino, stdTimeFunctions, type Level, type Logger } from 'pino';

import type { AdmissionRequest } from '../core/admission.ts';
import type { Decision, Verdict } from '../core/decide.ts';
import { UNJUDGEABLE_TEXTS } from '../core/denial-text.ts';
import type { Explanation } from '../core/explain.ts';
import type { Policy } from '../core/policy.ts';
import { resourceName } from '../core/resource-name.ts';
import { printable } from '../core/text.ts';

export type { Logger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'json' | 'text';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes one line at a time, its newline included. */
  readonly write: (line: string) => void;
}

/** Creates a logger that writes one line an event: JSON, or text for people. */
export function createLog({ level, format, write }: LogOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, { write: format === 'json' ? write : (line) => write(textLine(line)) });
}

/** How much of the log may wait for a reader that does not read: some 10 000 lines. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How long lines are gathered: to hand over each one by itself would take longer than to write it. */
const GATHER_MS = 10;

/** A way to write lines that waits for nobody. */
export interface LossyWriter {
  readonly write: (line: string) => void;
  /** Hands over at once what was gathered. */
  readonly flush: () => void;
}

/**
 * Creates a writer of lines. What a full pipe does not take stays in memory up to a limit, and what comes after is dropped;
 * `onDropped` learns how many lines that were as soon as there is room. A reader that is gone is no fault.
 */
export function lossyWriter(stream: Writable, onDropped: (lines: number) => void): LossyWriter {
  let dropped = 0;
  let gathering: NodeJS.Timeout | undefined;
  stream.on('error', () => undefined);
  stream.on('drain', () => {
    if (dropped > 0) onDropped(dropped);
    dropped = 0;
  });
  const flush = (): void => {
    clearTimeout(gathering);
    gathering = undefined;
    stream.uncork();
  };
  const write = (line: string): void => {
    if (stream.writableLength >= MAX_WAITING_BYTES) {
      dropped += 1;
      return;
    }
    if (gathering === undefined) {
      stream.cork();
      gathering = setTimeout(flush, GATHER_MS);
    }
    stream.write(line);
  };
  return { write, flush };
}

/** Rewrites a JSON line for people: `2026-01-02T03:04:05.678Z INFO  update denied user="ann" paths=["/spec"]`. */
function textLine(line: string): string {
  const event: unknown = JSON.parse(line);
  const fields = new Map<string, unknown>(Object.entries(event ?? {}));
  const words = ['time', 'level', 'msg'].map((key) => {
    const word = String(fields.get(key));
    fields.delete(key);
    return key === 'level' ? word.toUpperCase().padEnd(5) : word;
  });
  const pairs = [...fields].map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `${[...words, ...pairs].join(' ')}\n`;
}

/** One judged request, as it is logged. */
export interface LoggedDecision {
  readonly policy: Policy;
  readonly request: AdmissionRequest;
  readonly verdict: Verdict;
  readonly explanation: Explanation;
  readonly durationMs: number;
}

const EVENTS: Readonly<Record<Decision['outcome'], { readonly level: Level; readonly msg: string }>> = {
  allow: { level: 'debug', msg: 'update allowed' },
  out_of_scope: { level: 'debug', msg: 'request out of scope' },
  exempt: { level: 'info', msg: 'update allowed by an exemption' },
  deny: { level: 'info', msg: 'update not permitted' },
  unjudgeable: { level: 'warn', msg: 'update could not be judged' },
};

/** Names come from whoever sends a request; longer than any that Kubernetes accepts (253) they are shortened. */
const MAX_NAME_LENGTH = 512;

/** Logs a decision, with names and paths and never a value of the object. */
export function logDecision(
  log: Logger,
  { policy, request, verdict: { decision, mode }, explanation, durationMs }: LoggedDecision,
): void {
  const { level, msg } = EVENTS[decision.outcome];
  if (!log.isLevelEnabled(level)) return;

  const shown = (name: string): string => printable(name, MAX_NAME_LENGTH);
  const { group, resource } = request.resource;
  const { hint, deniedPaths, annotations } = explanation;
  log[level](
    {
      uid: shown(request.uid),
      user: shown(request.user.username),
      resource: shown(resourceName(group, resource)),
      subresource: shown(request.subResource),
      namespace: shown(request.namespace),
      name: shown(request.name),
      operation: shown(request.operation),
      decision: decision.outcome,
      mode,
      paths: deniedPaths,
      exemption: annotations['exemption'] ?? '',
      policy: policy.hash,
      dryRun: request.dryRun,
      durationMs: Math.round(durationMs * 1000) / 1000,
      ...(hint === undefined ? {} : { hint }),
      ...(decision.outcome === 'unjudgeable' ? { reason: UNJUDGEABLE_TEXTS[decision.reason] } : {}),
    },
    msg,
  );
}
