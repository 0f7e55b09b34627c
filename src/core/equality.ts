import { childType, type FieldType } from './field-type.ts';
import { isExactNumber, type JsonMap, type JsonScalar, type JsonValue } from './json.ts';
import { canonicalDecimal, canonicalQuantity } from './quantity.ts';

/**
 * Tells whether the operator's Go types read `value`, a field or a map's entry, as if it were not there.
 * An item of a list is never absent: do not ask.
 */
export function isAbsent(value: JsonValue | undefined, type: FieldType): boolean {
  if (value === undefined || type.kind === 'serverOwned') return true;
  if (value === null) return type.nullIsAbsent;
  if (typeof value !== 'object' || isExactNumber(value)) return isZero(value, type);
  return Array.isArray(value) ? value.length === 0 && type.emptyListIsAbsent : isEmptyMap(value, type);
}

/** Tells whether a map that is as good as none has no entry that is there. */
function isEmptyMap(map: JsonMap, type: FieldType): boolean {
  return type.emptyMapIsAbsent && Object.keys(map).every((key) => isAbsent(map[key], childType(type, key)));
}

function isZero(value: JsonScalar, type: FieldType): boolean {
  if (type.zero === undefined) return false;
  if (value === type.zero) return true;
  return type.zero === 0 && sameScalar(value, 0, type);
}

/** Tells whether two scalars mean the same at a field of this type: quantities and numbers whatever their spelling. */
export function sameScalar(a: JsonScalar, b: JsonScalar, type: FieldType): boolean {
  if (a === b) return true;
  if (typeof a === 'number' && typeof b === 'number') return false; // two doubles that differ are two numbers
  if (type.kind === 'quantity') {
    const quantity = canonicalQuantity(a);
    return quantity !== undefined && quantity === canonicalQuantity(b);
  }
  const number = numberText(a);
  const other = numberText(b);
  return number !== undefined && other !== undefined && canonicalDecimal(number) === canonicalDecimal(other);
}

function numberText(value: JsonScalar): string | undefined {
  if (isExactNumber(value)) return value.source;
  return typeof value === 'number' ? String(value) : undefined;
}
