import { isMap, ownValue, type JsonMap, type JsonValue } from '../core/json.ts';

/** What the jobguard of a cluster says against an update; `core/denial-text.ts` words it. */
export interface ServedDenial {
  readonly mode: 'enforce' | 'warn';
  readonly message: string;
  /** The refused fields that it names, as people read them: `spec.tfReplicaSpecs[Worker].replicas`. */
  readonly fields: readonly string[];
  /** How many are refused. */
  readonly count: number;
  /** What it advises: what may change, what to do, whom to ask. */
  readonly advice: string;
}

const DENIED = /^admission webhook "[^"]+" denied the request: (?<message>\S+ ".*" may not be updated: .*)$/s;

/** Reads the denial from a v1 Status; undefined where it is none of jobguard's. */
export function deniedBy(status: JsonMap): ServedDenial | undefined {
  const message = messageOf(status);
  const fields = causesOf(status).flatMap(fieldOf);
  // Without causes it is not the changes that are refused: the object could not be judged.
  if (message === undefined || fields.length === 0) return undefined;
  const more = Number(/, and (\d+) more; /.exec(message)?.[1] ?? 0);
  return { mode: 'enforce', message, fields, count: fields.length + more, advice: adviceOf(message) };
}

function messageOf(status: JsonMap): string | undefined {
  const text = ownValue(status, 'message');
  return typeof text === 'string' ? DENIED.exec(text)?.groups?.['message'] : undefined;
}

function adviceOf(message: string): string {
  const [, advice = ''] = /; ((?:only|nothing) .*)$/s.exec(message) ?? [];
  return sentence(advice);
}

function causesOf(status: JsonMap): readonly JsonValue[] {
  const details = ownValue(status, 'details');
  const causes = isMap(details) ? ownValue(details, 'causes') : undefined;
  return Array.isArray(causes) ? causes : [];
}

function fieldOf(cause: JsonValue): string[] {
  const field = isMap(cause) ? ownValue(cause, 'field') : undefined;
  return typeof field === 'string' ? [field] : [];
}

const WOULD_DENY = /^jobguard would deny this update: (?<count>\d+) changes? (?:is|are) not allowed$/;
const FIELD = /^(?<field>.+) may not change \(/;

/** Reads from the warnings of an answer what jobguard would deny in mode `enforce`; undefined where it would not. */
export function warnedBy(warnings: readonly string[]): ServedDenial | undefined {
  const index = warnings.findIndex((text) => WOULD_DENY.test(text));
  const message = warnings[index];
  if (message === undefined) return undefined;
  const fields = warnings.slice(0, index).flatMap((text) => FIELD.exec(text)?.groups?.['field'] ?? []);
  const count = Number(WOULD_DENY.exec(message)?.groups?.['count']);
  return {
    mode: 'warn',
    message,
    fields,
    count,
    advice: warnings
      .slice(index + 1)
      .map(sentence)
      .join(' '),
  };
}

function sentence(text: string): string {
  const end = /[.!?)]$|^$/.test(text) ? '' : '.';
  return text.charAt(0).toUpperCase() + text.slice(1) + end;
}
