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

const circumstances = new WeakMap<object, Readonly<Record<string, string>>>();

/** What a user needs besides the line of his code: the position in the source, or behind an exchange the key. The first to tell is the nearest. */
export function tell(error: unknown, fields: Readonly<Record<string, string>>): void {
  if (typeof error === "object" && error !== null && !circumstances.has(error))
    circumstances.set(error, fields);
}
export function toldOf(error: unknown): Readonly<Record<string, string>> {
  return (typeof error === "object" && error !== null && circumstances.get(error)) || {};
}

/** Longer keys are cut: they stand in a message. */
const maxKeyLength = 200;

export function keyText(key: unknown): string {
  const text =
    JSON.stringify(key, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)) ??
    String(key);
  return text.length > maxKeyLength ? `${text.slice(0, maxKeyLength)}…` : text;
}
