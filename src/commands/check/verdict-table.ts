import { styleText } from 'node:util';

import type { Decision } from '../../core/decide.ts';
import { MAX_NAME_LENGTH, printable } from '../../core/text.ts';
import type { Named } from '../manifests/named.ts';
import type { Report } from './judged.ts';
import { objectName } from './verdict-text.ts';

type Style = 'red' | 'green' | 'gray';

interface Row {
  readonly result: string;
  readonly style: Style;
  readonly object: string;
  readonly file: string;
}

const RESULTS: Readonly<Record<Decision['outcome'], Pick<Row, 'result' | 'style'>>> = {
  allow: { result: 'allowed', style: 'green' },
  exempt: { result: 'allowed', style: 'green' },
  out_of_scope: { result: 'allowed', style: 'green' },
  deny: { result: 'denied', style: 'red' },
  unjudgeable: { result: 'cannot be judged', style: 'red' },
};

/** Writes a line for each job, and how many there are of each result. */
export function tableText({ judged, created, deleted, notGuarded }: Report, hasColour: boolean): string {
  const updated = judged.map(({ request, source, verdict }) => ({
    ...RESULTS[verdict.decision.outcome],
    object: objectName(request),
    file: source?.file ?? '',
  }));
  const rows: Row[] = [
    ...updated,
    ...created.map((object) => unjudgedRow('created', object)),
    ...deleted.map((object) => unjudgedRow('deleted', object)),
  ];
  return `${rowLines(rows, hasColour)}${summary(rows, notGuarded)}\n`;
}

function unjudgedRow(result: string, { kind, name, namespace, file }: Named): Row {
  const shown = `${printable(kind, MAX_NAME_LENGTH)} "${printable(name, MAX_NAME_LENGTH)}"`;
  const object = namespace === undefined ? shown : `${shown} in namespace "${printable(namespace, MAX_NAME_LENGTH)}"`;
  return { result, style: 'gray', object, file };
}

const SPACE = 2;

function rowLines(rows: readonly Row[], hasColour: boolean): string {
  if (rows.length === 0) return '';
  const resultWidth = SPACE + Math.max(...rows.map(({ result }) => result.length));
  const objectWidth = SPACE + Math.max(...rows.map(({ object }) => object.length));
  const lines = rows.map(({ result, style, object, file }) => {
    const text = result.padEnd(resultWidth);
    const shown = hasColour ? styleText(style, text, { validateStream: false }) : text;
    return `${shown}${object.padEnd(objectWidth)}${file}`.trimEnd();
  });
  return `${lines.join('\n')}\n\n`;
}

/** `2 denied, 1 allowed, 1 created, 14 not guarded`. */
function summary(rows: readonly Row[], notGuarded: number): string {
  const counts = [...Map.groupBy(rows, ({ result }) => result)].map(([result, { length }]) => `${length} ${result}`);
  const all = notGuarded === 0 ? counts : [...counts, `${notGuarded} not guarded`];
  return all.length === 0 ? 'nothing to judge' : all.join(', ');
}
