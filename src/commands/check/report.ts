import { exactJsonText } from '../../kube/exact-text.ts';
import { UsageError } from '../usage-error.ts';
import { githubCommands } from './github-commands.ts';
import type { Report } from './judged.ts';
import { junitText } from './junit.ts';
import type { Named } from '../manifests/named.ts';
import { permittedPatch } from './permitted-patch.ts';
import { objectName, verdictDocument, verdictText } from './verdict-text.ts';
import { tableText } from './verdict-table.ts';

export type Output = 'text' | 'json' | 'patch' | 'junit' | 'github';

/**
 * Writes what came of a command line.
 *
 * @throws UsageError where the output is for one update, and there is not one
 */
export function reportText(report: Report, output: Output, hasColour: boolean): string {
  return WRITERS[output](report, hasColour);
}

const WRITERS: Readonly<Record<Output, (report: Report, hasColour: boolean) => string>> = {
  text: peopleText,
  json: programText,
  patch: patchText,
  junit: junitText,
  github: githubCommands,
};

function peopleText(report: Report, hasColour: boolean): string {
  if (report.isSingle) return report.judged.map((judged) => verdictText(judged, hasColour)).join('');
  const refused = report.judged.filter(({ verdict: { decision } }) => REFUSED.has(decision.outcome));
  return [tableText(report, hasColour), ...refused.map((judged) => verdictText(judged, hasColour))].join('\n');
}

const REFUSED = new Set(['deny', 'unjudgeable']);

function programText({ isSingle, judged, created, deleted, notGuarded }: Report): string {
  if (isSingle) return judged.map((each) => exactJsonText(verdictDocument(each))).join('');
  const items = judged.map((each) => ({
    ...sourceOf(each.source),
    object: objectName(each.request),
    ...verdictDocument(each),
  }));
  return exactJsonText({ items, created: created.length, deleted: deleted.length, notGuarded });
}

function sourceOf(source: Named | undefined): { file: string | null; line: number | null } {
  return { file: source?.file ?? null, line: source?.positionOf([]).line ?? null };
}

function patchText({ judged }: Report): string {
  const [only, ...others] = judged;
  if (only === undefined || others.length > 0) {
    throw new UsageError([`--output: patch is of one update, but there are ${judged.length}`]);
  }
  return exactJsonText(permittedPatch(only.request, only.verdict));
}
