import { printable } from '../../core/text.ts';
import type { RefusedWriter, Report } from './report.ts';

const MAX_NAME_LENGTH = 253;
/** More paths, or namespaces, than this help nobody; JSON has them all. */
const MAX_LISTED = 10;

/** Writes a report for people: a summary, and a block for each writer that would be refused. */
export function reportText(report: Report): string {
  return `${[summary(report), ...report.writers.map(writerText)].join('\n\n')}\n`;
}

function summary({ judged, allowed, exempt, denied, unknown, skipped, from, to, writers }: Report): string {
  const span = from === undefined || to === undefined ? '' : ` from ${from.toISOString()} to ${to.toISOString()}`;
  return `${counted(judged, 'update')} judged${span}:
  ${allowed} allowed, ${exempt} allowed by an exemption, ${denied} refused to ${counted(writers.length, 'writer')}
  ${unknown} not judged, since the logs have no earlier state of the job; ${skipped} skipped, since they failed or were dry runs`;
}

function writerText({
  user,
  fieldManager,
  denied,
  namespaces,
  paths,
  firstSeen,
  lastSeen,
  example,
}: RefusedWriter): string {
  const manager = fieldManager === '' ? '' : ` (${shown(fieldManager)})`;
  const { resource, namespace, name, auditID } = example;
  return [
    `${shown(user)}${manager}: ${counted(denied, 'update')} refused`,
    ...listed(paths.map(({ path, count }) => `${count} × ${path}`)),
    `  in ${listed(namespaces)
      .map((text) => text.trim())
      .join(', ')}, first ${firstSeen.toISOString()}, last ${lastSeen.toISOString()}`,
    `  for example ${shown(resource)} ${shown(namespace)}/${shown(name)}, audit event ${shown(auditID)}`,
  ].join('\n');
}

function listed(texts: readonly string[]): string[] {
  const shownTexts = texts.slice(0, MAX_LISTED).map((text) => `  ${text}`);
  return texts.length > MAX_LISTED ? [...shownTexts, `  ${texts.length - MAX_LISTED} more`] : shownTexts;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Names come from whoever wrote to the API server. */
function shown(name: string): string {
  return printable(name, MAX_NAME_LENGTH);
}
