/** Checks of what a build function hands over. A compiler has refused most of it already; JavaScript has not. */
import { isMillraceError, MillraceError, nearest, parseDuration } from "@millrace/base";
import { fail } from "./fail.ts";

const maxTextLength = 200;

export function badArgument(argument: string, value: unknown, allowed: string): Error {
  return fail("BUILD_BAD_ARGUMENT", { fields: { argument, value: shown(value), allowed } });
}

/** Names and uids appear in logs, metrics and names of files. */
export function assertText(argument: string, value: unknown): void {
  const fits =
    typeof value === "string" &&
    value.trim() !== "" &&
    value.length <= maxTextLength &&
    !/\p{Cc}/u.test(value);
  if (!fits)
    throw badArgument(argument, value, `text of 1 to ${maxTextLength} characters on one line`);
}

export function assertWhole(argument: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw badArgument(
      argument,
      value,
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `${min} to ${max}`,
    );
}

export function assertOneOf(argument: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return;
  throw fail("BUILD_BAD_ARGUMENT", {
    fields: {
      argument,
      value: shown(value),
      nearest: nearest(String(value), allowed) ?? "",
      allowed,
    },
  });
}

/** An option that is not known is a misspelt one, and would be ignored without a word. */
export function assertKnown(path: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw fail("BUILD_BAD_ARGUMENT", {
      fields: {
        argument: path === "" ? name : `${path}.${name}`,
        nearest: nearest(name, known) ?? "",
        allowed: known,
      },
    });
  }
}

/** Milliseconds. Throws `OPTION_BAD_DURATION` with the argument's name. */
export function durationOf(argument: string, value: unknown): number {
  try {
    return parseDuration(value as string);
  } catch (error) {
    if (isMillraceError(error) && error.code === "OPTION_BAD_DURATION")
      throw new MillraceError(error.code, error, { fields: { argument, value: shown(value) } });
    throw badArgument(argument, value, 'a duration such as "10s"');
  }
}

function shown(value: unknown): string {
  if (typeof value === "string")
    return value.trim() === "" || /\p{Cc}/u.test(value) ? JSON.stringify(value) : value;
  if (typeof value === "function") return "a function";
  return JSON.stringify(value) ?? String(value);
}
