/** A kind of change, as Keep a Changelog calls it, with what was changed. */
export interface ChangelogEntry {
  /** `added`, `changed`, `deprecated`, `removed`, `fixed` or `security`. */
  readonly kind: string;
  /** Markdown on one line. */
  readonly description: string;
}

const UNRELEASED = '## [Unreleased]\n';

/**
 * Gives what is unreleased its version and day.
 *
 * @param day `2026-12-31`
 * @throws Error if nothing is unreleased
 */
export function withRelease(changelog: string, version: string, day: string): string {
  if (changelogEntries(changelog, 'Unreleased').length === 0)
    throw new Error('CHANGELOG.md has nothing under Unreleased');
  return changelog.replace(UNRELEASED, () => `${UNRELEASED}\n## [${version}] - ${day}\n`);
}

/**
 * Returns what CHANGELOG.md says of a version, in Markdown without the heading.
 *
 * @param version `1.2.3` or `Unreleased`
 * @throws Error if it does not mention the version
 */
export function releaseNotes(changelog: string, version: string): string {
  const section = changelog.split(/^(?=## \[)/m).find((each) => each.startsWith(`## [${version}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no "## [${version}]"`);
  return section.slice(section.indexOf('\n')).trim();
}

/** Returns the entries of a version, in their order. */
export function changelogEntries(changelog: string, version: string): ChangelogEntry[] {
  return releaseNotes(changelog, version)
    .split(/^### /m)
    .flatMap((group) => {
      const [title = '', ...entries] = group.split(/^- /m);
      return entries.map((entry) => ({
        kind: title.trim().toLowerCase(),
        description: entry.trim().replaceAll(/\s+/g, ' '),
      }));
    });
}
