/**
 * Numbers in text: decimal, finite.
 *
 * NUM-1  Up to 15 digits, with or without a point, are read digit by digit: what is below 2^53 divided by a power of ten up to 10^22 is the
 *        nearest double (Clinger, "How to read floating point numbers accurately", 1990), so it is what `Number` gives, -0 included.
 */
const mostDigits = 15;
const powersOfTen = Array.from({ length: mostDigits + 1 }, (_, i) => 10 ** i);

export function parseNumber(text: string): number | undefined {
  const plain = digitByDigit(text);
  if (plain === plain) return plain;
  const value = Number(text);
  if (!Number.isFinite(value) || text.trim() === "") return undefined;
  // What is finite and has one of these letters is 0x…, 0o… or 0b….
  return /[xob]/i.test(text) ? undefined : value;
}

/** NaN for what has another form. */
function digitByDigit(text: string): number {
  const { length } = text;
  const isNegative = text.charCodeAt(0) === 45;
  const from = isNegative ? 1 : 0;
  if (length === from || length - from > mostDigits + 1) return Number.NaN;
  let digits = 0;
  let point = -1;
  for (let at = from; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 48 && unit <= 57) digits = digits * 10 + unit - 48;
    else if (unit === 46 && point < 0) point = at;
    else return Number.NaN;
  }
  const count = length - from - (point < 0 ? 0 : 1);
  if (count === 0 || count > mostDigits) return Number.NaN;
  const value = point < 0 ? digits : digits / powersOfTen[length - 1 - point]!;
  return isNegative ? -value : value;
}

/** The decimal digits from `from` up to `to`; NaN when one is none. */
export function digitsAt(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
