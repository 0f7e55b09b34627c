import { isExactNumber, type JsonScalar } from './json.ts';

/**
 * Kubernetes' quantities: a decimal with a decimal suffix, a binary suffix or an exponent.
 * Source: k8s.io/apimachinery pkg/api/resource/quantity.go, "The serialization format is".
 */
const QUANTITY = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:([numkMGTPE])|([KMGTPE])i|[eE]([+-]?\d+))?$/;

/** Each suffix is a thousand times the one before it, from 10^-9 on; the space stands for none. */
const DECIMAL_SUFFIXES = 'num kMGTPE';
const BINARY_SUFFIXES = 'KMGTPE';

/** Longest mantissa that is multiplied out for a binary suffix; nobody writes a longer one and means it. */
const MAX_BINARY_MANTISSA_DIGITS = 1_000;

/** Largest exponent, in digits, that plain arithmetic holds. */
const MAX_EXPONENT_DIGITS = 15;

/**
 * Writes a decimal number in the one form that all its spellings share: `1`, `1.0` and `10e-1` are `1e0`, `-0` is `0`.
 * Digits and exponent are compared, never expanded: `1e100000000` is as short here as it is there.
 */
export function canonicalDecimal(text: string): string {
  const [mantissa = '', exponent = '0'] = text.split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  const digits = `${whole}${fraction}`;
  const [start, end] = significantDigits(digits);
  if (start === end) return '0';

  const power = shifted(exponent, digits.length - end - fraction.length);
  return `${mantissa.startsWith('-') ? '-' : ''}${digits.slice(start, end)}e${power}`;
}

/** Adds to an exponent; one that is too long for that stays a text that no other exponent has. */
function shifted(exponent: string, shift: number): string {
  const plain = exponent.replace(/^\+?(-?)0*(?=\d)/, '$1');
  return plain.length > MAX_EXPONENT_DIGITS ? `${plain}+${shift}` : String(Number(plain) + shift);
}

/** Returns where a run of digits begins and ends without the zeros around it. */
function significantDigits(digits: string): [start: number, end: number] {
  let start = 0;
  while (digits[start] === '0') start += 1;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end -= 1;
  return [start, end];
}

/**
 * Writes a quantity in the one form that all its spellings share; undefined where the value is no quantity.
 * White space is no part of one: the operator cannot read `"1\n"`, and then lists no job at all.
 */
export function canonicalQuantity(value: JsonScalar): string | undefined {
  if (typeof value === 'number') return canonicalDecimal(String(value));
  if (isExactNumber(value)) return canonicalDecimal(value.source);
  return typeof value === 'string' ? canonicalText(value) : undefined;
}

function canonicalText(text: string): string | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, mantissa = '', decimal, binary, exponent] = match;
  if (binary !== undefined) return canonicalBinary(mantissa, 10 * (BINARY_SUFFIXES.indexOf(binary) + 1));
  if (decimal !== undefined) return canonicalDecimal(`${mantissa}e${3 * DECIMAL_SUFFIXES.indexOf(decimal) - 9}`);
  return canonicalDecimal(exponent === undefined ? mantissa : `${mantissa}e${exponent}`);
}

function canonicalBinary(mantissa: string, powerOfTwo: number): string | undefined {
  if (mantissa.length > MAX_BINARY_MANTISSA_DIGITS) return undefined;
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = BigInt(`${whole}${fraction}`.replace(/^[+-]/, '')) << BigInt(powerOfTwo);
  return canonicalDecimal(`${whole.startsWith('-') ? '-' : ''}${digits}e-${fraction.length}`);
}
