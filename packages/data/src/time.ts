/** Event time as numbers: milliseconds since the epoch. The ends of time are finite so that arithmetic stays arithmetic. */

/** Before every event: the watermark of a stream that has said nothing yet. */
export const minWatermark: number = -Number.MAX_SAFE_INTEGER;
/** After every event: the watermark at the end of a bounded input. */
export const maxWatermark: number = Number.MAX_SAFE_INTEGER;

/** `a + b` that stops at the ends of time (LAT-01). */
export function addTime(a: number, b: number): number {
  const sum = a + b;
  return sum >= maxWatermark ? maxWatermark : Math.max(sum, minWatermark);
}

/** Remainder with the sign of `size` (> 0): floor semantics also before 1970. */
export function floorMod(value: number, size: number): number {
  const r = value % size;
  return r < 0 ? r + size : r;
}
