import { refusalText, UNJUDGEABLE_TEXTS } from '../../core/denial-text.ts';
import type { Named } from '../manifests/named.ts';
import type { Judged, Report } from './judged.ts';
import { objectName, verdictText } from './verdict-text.ts';

/** What the name of the suite is, in whatever shows the results. */
const SUITE = 'jobguard check';

/**
 * Writes a test case for each job: a denial is a failure, what cannot be judged an error, what is created or deleted is
 * skipped.
 * Source: github.com/testmoapp/junitxml, what CI servers read; it has no schema of its own.
 */
export function junitText({ judged, created, deleted }: Report): string {
  const count = (outcome: string): number =>
    judged.filter(({ verdict }) => verdict.decision.outcome === outcome).length;
  const skipped = [
    ...created.map((object) => skippedCase(object, 'created')),
    ...deleted.map((object) => skippedCase(object, 'deleted')),
  ];
  const counts = attributes({
    name: SUITE,
    tests: judged.length + skipped.length,
    failures: count('deny'),
    errors: count('unjudgeable'),
    skipped: skipped.length,
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite${counts}>
${[...judged.map(judgedCase), ...skipped].join('')}  </testsuite>
</testsuites>
`;
}

function judgedCase(judged: Judged): string {
  const { request, source, verdict } = judged;
  const subject = objectName(request);
  const { decision } = verdict;
  if (decision.outcome === 'unjudgeable') {
    return testCase(subject, source, `<error${attributes({ message: UNJUDGEABLE_TEXTS[decision.reason] })}/>`);
  }
  if (decision.outcome !== 'deny') return testCase(subject, source, '');
  const message = attributes({ message: refusalText(subject) });
  return testCase(subject, source, `<failure${message}>${escaped(verdictText(judged, false))}</failure>`);
}

function skippedCase(object: Named, what: string): string {
  return testCase(`${object.kind} "${object.name}"`, object, `<skipped${attributes({ message: what })}/>`);
}

function testCase(name: string, source: Named | undefined, content: string): string {
  const place = source === undefined ? {} : { file: source.file, line: source.positionOf([]).line };
  const start = `    <testcase${attributes({ classname: SUITE, name, ...place })}`;
  return content === '' ? `${start}/>\n` : `${start}>\n      ${content}\n    </testcase>\n`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** What XML 1.0 cannot hold, whatever its escape: section 2.2. */
const NO_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

function escaped(text: string): string {
  return text.replaceAll(NO_XML, '\u{fffd}').replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
