/** Durations in the public API: text with a unit, or milliseconds made by `seconds(5)`; a bare number does not compile. */

declare const durationBrand: unique symbol;
/** Milliseconds with a unit; a bare number is refused by tsc, "5m" is accepted everywhere. */
export type Duration =
  | (number & { readonly [durationBrand]: true })
  | `${number}${"ms" | "s" | "m" | "h" | "d"}`;
export type Millis = number & { readonly [durationBrand]: true };

export function seconds(n: number): Millis {
  return (n * 1_000) as Millis;
}
export function minutes(n: number): Millis {
  return (n * 60_000) as Millis;
}
export function hours(n: number): Millis {
  return (n * 3_600_000) as Millis;
}
export function days(n: number): Millis {
  return (n * 86_400_000) as Millis;
}
