/**
 * Which operator an error belongs to when no line of generated code says so: calls that a watermark, a timer or a promise caused.
 * Remembered beside the error, so that what is thrown stays the user's own object.
 */
const culprits = new WeakMap<object, string>();

/** The first to blame is the nearest; later calls for the same error change nothing. */
export function blame(error: unknown, uid: string): void {
  if (typeof error === "object" && error !== null && !culprits.has(error)) culprits.set(error, uid);
}
export function culpritOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null ? culprits.get(error) : undefined;
}
