import { readdirSync, readFileSync } from 'node:fs';

/** A group of pages, as the sidebar lists it. */
interface Section {
  readonly title: string;
  /** Paths of Markdown files in the repository, in the order in which to read them. */
  readonly pages: readonly string[];
  readonly isCollapsed?: true;
}

/** The page that is not in the sidebar: it takes the whole width. */
export const PLAYGROUND = 'site/playground.md';

/** The pages that `npm run site` generates. */
export const GENERATED = {
  cli: 'site/generated/cli.md',
  policyKeys: 'site/generated/policy-keys.md',
  metrics: 'site/generated/metrics.md',
} as const;

/** Every page, by what a reader wants to do. */
const SECTIONS: readonly Section[] = [
  { title: 'Getting started', pages: ['README.md', 'docs/getting-started.md', 'docs/README.md'] },
  {
    title: 'How-to guides',
    pages: [
      'docs/install.md',
      'docs/verify.md',
      'docs/rollout.md',
      'docs/recipes.md',
      'docs/check.md',
      'docs/ci.md',
      'docs/rerun.md',
      'docs/operations.md',
      'docs/monitoring.md',
    ],
  },
  {
    title: 'Reference',
    pages: [
      'docs/policy.md',
      GENERATED.policyKeys,
      GENERATED.cli,
      'charts/jobguard/README.md',
      GENERATED.metrics,
      'docs/semantics.md',
      'docs/compatibility.md',
      'docs/benchmarks.md',
      'CHANGELOG.md',
    ],
  },
  {
    title: 'Explanation',
    pages: ['docs/faq.md', 'docs/comparison.md', 'docs/assurance.md', 'docs/architecture.md', 'SECURITY.md'],
  },
  { title: 'Runbooks', pages: markdownIn('docs/runbooks'), isCollapsed: true },
  { title: 'Contributing', pages: ['CONTRIBUTING.md', 'docs/development.md', 'docs/releasing.md'], isCollapsed: true },
  { title: 'Decisions', pages: markdownIn('docs/decisions'), isCollapsed: true },
];

/** A page that somebody has added to docs/ is on the site, too. */
const OTHERS: Section = {
  title: 'More',
  pages: markdownIn('docs').filter((page) => !SECTIONS.some(({ pages }) => pages.includes(page))),
};

const ALL = OTHERS.pages.length === 0 ? SECTIONS : [...SECTIONS, OTHERS];

/** The paths of all pages in the repository. */
export const PAGES: ReadonlySet<string> = new Set([PLAYGROUND, ...ALL.flatMap(({ pages }) => pages)]);

/** Returns the path on the site of a Markdown file: `docs/policy.md` is `policy.md`. */
export function routeOf(file: string): string {
  return ROUTES.get(file) ?? file.replace(/^(docs|site)\//, '').replace(/^generated\//, 'reference/');
}

const ROUTES: ReadonlyMap<string, string> = new Map([
  ['README.md', 'index.md'],
  ['docs/README.md', 'documentation.md'],
  ['docs/decisions/README.md', 'decisions/index.md'],
  ['charts/jobguard/README.md', 'reference/chart.md'],
  ['SECURITY.md', 'security.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['CHANGELOG.md', 'changelog.md'],
]);

/** A group of the sidebar, as VitePress takes it. */
interface SidebarSection {
  text: string;
  items: { text: string; link: string }[];
  collapsed?: boolean;
}

/** Returns the sidebar; the generated pages must be there. */
export function sidebar(): SidebarSection[] {
  return ALL.map(({ title, pages, isCollapsed }) => ({
    text: title,
    items: pages.map((page) => ({ text: titleOf(page), link: `/${routeOf(page)}` })),
    ...(isCollapsed === true ? { collapsed: true } : {}),
  }));
}

/** What is not called by its heading. */
const TITLES: ReadonlyMap<string, string> = new Map([
  ['README.md', 'What jobguard is'],
  ['charts/jobguard/README.md', 'Chart values'],
  ['docs/README.md', 'All pages'],
  ['CHANGELOG.md', 'Changes'],
]);

function titleOf(page: string): string {
  return TITLES.get(page) ?? /^# (.+)$/m.exec(readFileSync(page, 'utf8'))?.[1] ?? page;
}

function markdownIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort((a, b) => Number(b === 'README.md') - Number(a === 'README.md') || (a < b ? -1 : 1))
    .map((name) => `${folder}/${name}`);
}
