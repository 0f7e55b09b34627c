import { existsSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';

import { PAGES, routeOf } from './pages.ts';

/** The heading's id, as GitHub makes it, so that one link works there and here. */
export function slugify(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/**
 * Returns the target of a link on a page: a page of the site, or a file of the repository at its address there.
 *
 * @throws Error where the link leads to nothing
 */
export function targetOf(href: string, page: string, repository: string): string {
  if (/^[a-z]+:/i.test(href)) return href;
  const [path = '', anchor] = decodeURI(href).split('#');
  const file = path === '' ? page : posix.join(posix.dirname(page), path);
  if (!existsSync(file)) throw new Error(`${page}: broken link to ${href}`);
  if (!PAGES.has(file)) {
    const form = statSync(file).isDirectory() ? 'tree' : 'blob';
    return `${repository.replace('{form}', form)}/${file}${anchor === undefined ? '' : `#${anchor}`}`;
  }
  if (anchor !== undefined && !anchorsOf(file).has(anchor)) throw new Error(`${page}: no heading for ${href}`);
  const fragment = anchor === undefined ? '' : `#${anchor}`;
  return path === '' ? fragment : `/${routeOf(file)}${fragment}`;
}

function anchorsOf(file: string): Set<string> {
  const prose = readFileSync(file, 'utf8').replaceAll(/^```.*?^```$/gms, '');
  const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slugify(plainText(heading)));
  const seen = new Map<string, number>();
  return new Set(
    headings.map((slug) => {
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

/** A heading without its marks: `code`, *emphasis*, [links](…). */
function plainText(heading: string): string {
  return heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
}

/** As much of a Markdown token as is read here. */
interface Token {
  readonly type: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** As much of a page's tokens as is read here; VitePress says which file they are of, but of a title alone. */
interface PageTokens {
  readonly tokens: readonly Token[];
  readonly env: { readonly path?: string; readonly realPath?: string };
}

/** Returns the rule that gives every link of a page its target; `repository` has `{form}` in place of blob or tree. */
export function linkRule(repository: string): (page: PageTokens) => void {
  return ({ tokens, env }) => {
    const path = env.realPath ?? env.path;
    if (path === undefined) return;
    const page = posix.relative(process.cwd(), path);
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet('href');
      if (token.type !== 'link_open' || href === null || token.attrGet('class') === 'header-anchor') continue;
      token.attrSet('href', targetOf(href, page, repository));
    }
  };
}
