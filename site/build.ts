/** Builds the site into site/dist: generates the reference pages, and hands all pages to VitePress. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { cliPage } from './reference/cli.ts';
import { metricsPage } from './reference/metrics.ts';
import { policyKeysPage } from './reference/policy-keys.ts';
import { GENERATED } from './pages.ts';

// Every path of a page counts from the root of the repository.
process.chdir(join(import.meta.dirname, '..'));

const pages: [path: string, text: string][] = [
  [GENERATED.cli, cliPage()],
  [GENERATED.policyKeys, policyKeysPage()],
  [GENERATED.metrics, await metricsPage()],
];
await mkdir(dirname(GENERATED.cli), { recursive: true });
for (const [path, text] of pages) await writeFile(path, `${text}\n`);

// Loaded here: its configuration reads the titles of these pages.
const { build } = await import('vitepress');
await build('site');
