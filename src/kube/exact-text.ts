import { exactNumber, isExactNumber, type JsonValue } from '../core/json.ts';
import { mapItems } from './map-items.ts';

/** TypeScript's own types do not know it yet; Node does since 21. */
declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** Writes a value as JSON, every digit of its numbers included, indented for whoever reads it. */
export function exactJsonText(value: object): string {
  const digits = (_key: string, item: JsonValue): unknown => (isExactNumber(item) ? JSON.rawJSON(item.source) : item);
  return `${JSON.stringify(value, digits, 2)}\n`;
}

const [NUMBER_MARK, TEXT_MARK] = ['\u0000n', '\u0000t'];

/** Copies a value with texts in place of exact numbers, for a library that would take them for maps. */
export function withoutExactNumbers(value: JsonValue): JsonValue {
  if (isExactNumber(value)) return NUMBER_MARK + value.source;
  if (typeof value === 'string') return value.startsWith('\u0000') ? TEXT_MARK + value : value;
  return mapItems(value, withoutExactNumbers);
}

/** Copies a value with the exact numbers that `withoutExactNumbers` took out. */
export function withExactNumbers(value: JsonValue): JsonValue {
  if (typeof value !== 'string') return mapItems(value, withExactNumbers);
  if (value.startsWith(NUMBER_MARK)) return exactNumber(value.slice(NUMBER_MARK.length));
  return value.startsWith(TEXT_MARK) ? value.slice(TEXT_MARK.length) : value;
}
