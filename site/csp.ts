import { createHash } from 'node:crypto';

/** Inline styles are VitePress's own: the colours of highlighted code. */
const DIRECTIVES: readonly string[] = [
  "default-src 'none'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
];

const INLINE_SCRIPT = /<script(?![^>]*\ssrc=)[^>]*>(?<code>[\s\S]*?)<\/script>/g;

/** Adds to a page the Content-Security-Policy that it works under: its own scripts, and nothing made from text. */
export function withContentSecurityPolicy(html: string): string {
  const hashes = [...html.matchAll(INLINE_SCRIPT)].map(({ groups }) => {
    return `'sha256-${createHash('sha256')
      .update(groups?.['code'] ?? '')
      .digest('base64')}'`;
  });
  const policy = [...DIRECTIVES, `script-src 'self' ${[...new Set(hashes)].join(' ')}`.trim()].join('; ');
  return html.replace(
    '<meta charset="utf-8">',
    (charset) => `${charset}\n    <meta http-equiv="Content-Security-Policy" content="${policy}">`,
  );
}
