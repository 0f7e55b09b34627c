import { causeText, UNJUDGEABLE_TEXTS } from '../../core/denial-text.ts';
import type { Path } from '../../core/path.ts';
import type { Named } from '../manifests/named.ts';
import type { Judged, Report } from './judged.ts';
import { tableText } from './verdict-table.ts';
import { objectName, refusedChanges } from './verdict-text.ts';

/** As many as a denial names; GitHub shows ten annotations of a step. */
const MAX_ANNOTATIONS = 10;

/**
 * Writes an annotation for each refused change and each warning, as GitHub's workflow commands, and a table.
 * Source: docs.github.com, "Workflow commands for GitHub Actions", "Setting an error message".
 */
export function githubCommands(report: Report): string {
  return `${report.judged.flatMap(commandsOf).join('')}${tableText(report, false)}`;
}

function commandsOf(judged: Judged): string[] {
  const { source, request, verdict, explanation } = judged;
  const subject = objectName(request);
  const warnings = explanation.warnings.map((text) => command('warning', source, [], `${subject}: ${text}`));
  if (verdict.decision.outcome === 'unjudgeable') {
    return [command('error', source, [], `${subject} cannot be judged: ${UNJUDGEABLE_TEXTS[verdict.decision.reason]}`)];
  }
  const refused = refusedChanges(judged);
  const errors = refused
    .slice(0, MAX_ANNOTATIONS)
    .map(({ path, field, values }) => command('error', source, path, `${subject}: ${field} ${causeText(values)}`));
  const more = refused.length - errors.length;
  return [
    ...errors,
    ...(more === 0 ? [] : [command('error', source, [], `${subject}: ${more} more changes are not allowed`)]),
    ...warnings,
  ];
}

function command(level: 'error' | 'warning', source: Named | undefined, path: Path, message: string): string {
  const properties = Object.entries({ ...placeOf(source, path), title: 'jobguard' });
  return `::${level} ${properties.map(([name, value]) => `${name}=${escapedProperty(value)}`).join(',')}::${escaped(message)}\n`;
}

function placeOf(source: Named | undefined, path: Path): Readonly<Record<string, string>> {
  if (source === undefined || source.file === 'stdin') return {};
  const { line, column } = source.positionOf(path);
  return { file: source.file, line: String(line), col: String(column) };
}

/** Source: github.com/actions/toolkit packages/core/src/command.ts, escapeData and escapeProperty. */
function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
