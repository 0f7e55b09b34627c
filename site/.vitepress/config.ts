import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

import { defineConfig } from 'vitepress';

import manifest from '../../package.json' with { type: 'json' };
import names from '../../release/names.json' with { type: 'json' };
import { policyValidatorCode, SCHEMA_MODULE } from '../../build/policy-validator.ts';
import { withContentSecurityPolicy } from '../csp.ts';
import { linkRule, slugify } from '../links.ts';
import { PAGES, PLAYGROUND, routeOf, sidebar } from '../pages.ts';

const REPOSITORY = `https://github.com/${names.repository}`;

/** A shield; written here, it asks nobody for anything. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#3451b2" d="M8 1l6 2v5c0 4-3 6-6 7-3-1-6-3-6-7V3z"/></svg>';

/** The site is built in the root of the repository, from the pages where they are. */
export default defineConfig({
  title: 'jobguard',
  description: manifest.description,
  lang: 'en',
  srcDir: '..',
  srcExclude: ['{test,tools,coverage}/**', 'CODE_OF_CONDUCT.md', 'GOVERNANCE.md'],
  outDir: 'dist',
  cacheDir: '../.cache/site',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  rewrites: (file) => (PAGES.has(file) ? routeOf(file) : file),
  transformHtml: withContentSecurityPolicy,
  transformHead: ({ page }) => (page === routeOf(PLAYGROUND) ? [preloaded('Playground')] : []),
  markdown: {
    html: false,
    anchor: { slugify },
    config: (markdown) => markdown.core.ruler.push('links', linkRule(`${REPOSITORY}/{form}/v${manifest.version}`)),
  },
  vite: {
    // In place of tsconfig.json, whose target the esbuild of Vite 5 does not know.
    esbuild: { tsconfigRaw: '{ "compilerOptions": { "verbatimModuleSyntax": true } }' },
    resolve: { alias: [{ find: /^node:(crypto|util)$/, replacement: resolve('site/playground/node.ts') }] },
    plugins: [
      {
        name: 'policy-validator',
        load: (id) => (id === SCHEMA_MODULE ? policyValidatorCode() : null),
      },
    ],
  },
  themeConfig: {
    nav: [
      { text: 'Documentation', link: '/' },
      { text: 'Playground', link: '/playground' },
      { text: `v${manifest.version}`, link: '/changelog' },
    ],
    sidebar: sidebar(),
    outline: 'deep',
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
    footer: { message: `jobguard ${manifest.version}, ${manifest.license}` },
  },
});

/** The page would ask for this chunk only once its others have run. */
function preloaded(chunk: string): [string, Record<string, string>] {
  const file = readdirSync('site/dist/assets/chunks').find((name) => name.startsWith(`${chunk}.`));
  if (file === undefined) throw new Error(`the bundle has no chunk ${chunk}`);
  return ['link', { rel: 'modulepreload', href: `/assets/chunks/${file}` }];
}
