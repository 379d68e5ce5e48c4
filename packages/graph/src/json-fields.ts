/** Reading JSON that somebody else wrote, field by field: a value of the asked kind, or `GRAPH_INVALID` with path and reason. */
import { fail } from "./fail.ts";

export type Fields = Readonly<Record<string, unknown>>;

export function invalid(path: string, reason: string, cause?: unknown): Error {
  return fail("GRAPH_INVALID", {
    fields: { path, reason },
    ...(cause === undefined ? {} : { cause }),
  });
}

export function fieldsAt(value: unknown, path: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(path, "not an object");
  return value as Fields;
}
export function listAt(
  value: unknown,
  path: string,
  size: { readonly min: number; readonly max: number },
): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(path, "not a list");
  if (value.length < size.min || value.length > size.max)
    throw invalid(path, `${value.length} items, not ${size.min} to ${size.max}`);
  return value;
}
export function textAt(value: unknown, path: string, min = 0): string {
  if (typeof value !== "string" || value.length < min || value.length > maxTextLength)
    throw invalid(path, `not a text of ${min} to ${maxTextLength} characters`);
  return value;
}
export function wholeAt(value: unknown, path: string, min: number, max: number): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw invalid(path, `not a whole number from ${min} to ${max}`);
  return value as number;
}
/** A finite number of 0 or more. */
export function amountAt(value: unknown, path: string): number {
  if (!Number.isFinite(value) || (value as number) < 0)
    throw invalid(path, "not a number of 0 or more");
  return value as number;
}
export function oneOf(value: unknown, path: string, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) throw invalid(path, `not one of ${allowed.join(", ")}`);
}

/** Names are for people and keys of the store; generated chains have long names, one operator's after the other's. */
const maxTextLength = 16_384;
