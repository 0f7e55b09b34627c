import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { CHROMIUM } from './setup.ts';

/** Starts the browser that the setup of this layer has found. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env[CHROMIUM] ?? '' });
}

/** A page of its own, and what went wrong in it. */
export interface Visit {
  readonly page: Page;
  /** What the page asked of anybody but the site. */
  readonly outside: readonly string[];
  /** Errors of its scripts and of its Content-Security-Policy, as the console shows them. */
  readonly errors: readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens an empty page that nothing before it has touched. */
export async function visit(browser: Browser, origin: string): Promise<Visit> {
  const context: BrowserContext = await browser.newContext();
  const page = await context.newPage();
  const outside: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) outside.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  return { page, outside, errors, close: () => context.close() };
}
