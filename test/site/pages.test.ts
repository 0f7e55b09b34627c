import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { eventually } from '../../tools/eventually.ts';
import names from '../../release/names.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { targetOf } from '../../site/links.ts';
import { startBrowser, visit } from './browser.ts';
import { describeInBrowser } from './layer.ts';
import { serveSite, SITE, type ServedSite } from './served-site.ts';

const REPOSITORY = `https://github.com/${names.repository}`;

describeInBrowser('the pages of the site', () => {
  let site: ServedSite;
  let browser: Browser;
  beforeAll(async () => {
    site = await serveSite();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
  });

  test.each([
    ['index', 'jobguard'],
    ['policy', 'The policy file'],
    ['runbooks/JobguardDown', 'JobguardDown'],
    ['decisions/', 'Decisions'],
    ['reference/cli', 'Command line'],
    ['reference/policy-keys', 'Keys of a policy'],
    ['reference/metrics', 'Metrics'],
    ['reference/chart', "jobguard's Helm chart"],
  ])('%s is there, names the version and asks nobody else for anything', async (path, heading) => {
    const { page, outside, errors, close } = await visit(browser, site.origin);
    await page.goto(`${site.origin}/${path.endsWith('/') ? path : `${path}.html`}`);
    // VitePress ends a heading with the sign of its permalink.
    expect((await page.locator('h1').innerText()).replaceAll('\u200B', '').trim()).toBe(heading);
    expect(await page.locator('.VPFooter').innerText()).toBe(`jobguard ${manifest.version}, Apache-2.0`);
    expect({ outside, errors }).toEqual({ outside: [], errors: [] });
    await close();
  });

  test('the search finds a flag on the page that is generated', async () => {
    const { page, outside, errors, close } = await visit(browser, site.origin);
    await page.goto(`${site.origin}/policy.html`);
    const search = page.locator('#localsearch-input');
    // The page does not listen to keys before its scripts run.
    await eventually('the search', async () => {
      await page.keyboard.press('Control+k');
      return (await search.isVisible()) ? true : undefined;
    });
    await search.fill('--self-managed-tls');
    await page.locator('.results a[href*="/reference/cli"]').first().waitFor();
    expect({ outside, errors }).toEqual({ outside: [], errors: [] });
    await close();
  });

  test('no page may make code from text', async () => {
    const html = await readFile(join(SITE, 'playground.html'), 'utf8');
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
    expect(policy.split('; ').map((directive) => directive.replaceAll(/'sha256-[^']+'/g, 'HASH'))).toEqual([
      "default-src 'none'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "script-src 'self' HASH HASH HASH",
    ]);
  });
});

test.each([
  ['a page', 'policy.md#reference', 'docs/check.md', '/policy.md#reference'],
  ['the front page', '../README.md', 'docs/check.md', '/index.md'],
  ['a heading of the same page', '#reference', 'docs/policy.md', '#reference'],
  ['a file', '../src/core/explain.ts', 'docs/check.md', `${REPOSITORY}/blob/v1/src/core/explain.ts`],
  ['a folder', 'docs/runbooks/', 'README.md', `${REPOSITORY}/tree/v1/docs/runbooks/`],
  ['another site', 'https://kubernetes.io/', 'README.md', 'https://kubernetes.io/'],
])('a link to %s leads there', (_what, href, page, target) => {
  expect(targetOf(href, page, `${REPOSITORY}/{form}/v1`)).toBe(target);
});

test.each([
  ['policies.md', 'docs/check.md: broken link to policies.md'],
  ['policy.md#no-such-heading', 'docs/check.md: no heading for policy.md#no-such-heading'],
])('a link to %s fails the build', (href, message) => {
  expect(() => targetOf(href, 'docs/check.md', REPOSITORY)).toThrow(new Error(message));
});
