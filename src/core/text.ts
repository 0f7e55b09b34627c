/** Control, format and separator characters and lone surrogates: what would break a line, a terminal or a log. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** What most texts are made of: to look through these for what is unprintable would take most of a denial's time. */
const PLAIN = /^[\x20-\x7e]*$/;

/** The longest name that Kubernetes takes: k8s.io/apimachinery pkg/util/validation, DNS1123SubdomainMaxLength. */
export const MAX_NAME_LENGTH = 253;

/** Shortens a text to `max` UTF-16 code units by taking out its middle, so that two ends that differ stay visible. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = max - 1;
  const head = Math.ceil(kept / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (kept - head))}`.toWellFormed();
}

/** Makes a text that a user chose fit to be shown: unprintable characters as `\u{1b}`, the whole at most `max` long. */
export function printable(text: string, max: number): string {
  if (text.length <= max && PLAIN.test(text)) return text;
  const escaped = shorten(text, max).replaceAll(UNPRINTABLE, (character) => {
    const code = Number(character.codePointAt(0));
    return `\\u{${code.toString(16)}}`;
  });
  return shorten(escaped, max);
}

/** Returns the length of a text in bytes of UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Shortens a text to `max` bytes of UTF-8, as `shorten` does to a length. */
export function shortenToBytes(text: string, max: number): string {
  let shortened = text;
  for (let length = text.length; utf8Length(shortened) > max; length -= 1) shortened = shorten(text, length - 1);
  return shortened;
}
