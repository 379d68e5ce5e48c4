/**
 * Option tables: an option is declared once, and the table yields its type, its parser, its config key and its page
 * in the reference. "10s" and "64mb" outside; numbers with unit names inside.
 *
 * OPT-1  Resolving applies every default exactly once; code below never sees an absent option.
 * OPT-2  An unknown key is refused with the nearest valid name; a value outside its range is refused with the range.
 */
import { codes } from "./codes.ts";
import { formatDuration, parseDuration, parseSize } from "./duration.ts";
import { errorsOf, isMillraceError, MillraceError } from "./errors.ts";
import { nearest } from "./nearest.ts";

const fail = errorsOf(codes);

interface Common<T> {
  /** Key in a config file and, with dots and dashes replaced, the name of the environment variable. */
  readonly key: string;
  readonly default: T;
  /** One sentence: what it does, and what turning it up or down costs. */
  readonly help: string;
}
export type OptionSpec =
  | (Common<number> & {
      readonly type: "duration" | "size" | "int" | "float";
      readonly min?: number;
      readonly max?: number;
    })
  | (Common<boolean> & { readonly type: "boolean" })
  | (Common<string> & { readonly type: "string"; readonly oneOf?: readonly string[] });
export type OptionTable = Readonly<Record<string, OptionSpec>>;
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends { type: "boolean" }
    ? boolean
    : T[K] extends { type: "string" }
      ? string
      : number;
};
export interface Options<T extends OptionTable> {
  readonly table: T;
  readonly defaults: OptionValues<T>;
  /** Values by config key (text or already typed) over the defaults. Throws `OPTION_UNKNOWN`, `OPTION_BAD_VALUE`, `OPTION_BAD_DURATION`, `OPTION_BAD_SIZE`. */
  resolve(given: Readonly<Record<string, unknown>>): OptionValues<T>;
}

export function defineOptions<const T extends OptionTable>(table: T): Options<T> {
  const byKey = new Map(Object.entries(table).map(([name, spec]) => [spec.key, { name, spec }]));
  const defaults: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(table)) defaults[name] = spec.default;
  return {
    table,
    defaults: defaults as OptionValues<T>,
    resolve(given) {
      const values = { ...defaults };
      for (const [key, raw] of Object.entries(given)) {
        const found = byKey.get(key);
        if (found === undefined) {
          throw fail("OPTION_UNKNOWN", {
            fields: {
              key,
              nearest: nearest(key, [...byKey.keys()]) ?? "",
              valid: [...byKey.keys()],
            },
          });
        }
        try {
          values[found.name] = parse(found.spec, raw);
        } catch (error) {
          // What a parser of one value can't know.
          if (!isMillraceError(error) || "key" in error.fields) throw error;
          throw new MillraceError(error.code, error, { fields: { key, ...error.fields } });
        }
      }
      return values as OptionValues<T>;
    },
  };
}

function parse(spec: OptionSpec, raw: unknown): string | number | boolean {
  const refuse = (allowed: string) =>
    fail("OPTION_BAD_VALUE", { fields: { key: spec.key, value: String(raw), allowed } });
  switch (spec.type) {
    case "boolean":
      if (raw === true || raw === "true") return true;
      if (raw === false || raw === "false") return false;
      throw refuse("true or false");
    case "string":
      if (typeof raw !== "string") throw refuse("text");
      if (spec.oneOf !== undefined && !spec.oneOf.includes(raw))
        throw refuse(spec.oneOf.join(", "));
      return raw;
    default: {
      const value =
        spec.type === "duration"
          ? parseDuration(raw as string)
          : spec.type === "size"
            ? parseSize(raw as string)
            : Number(raw);
      const min = spec.min ?? Number.NEGATIVE_INFINITY;
      const max = spec.max ?? Number.POSITIVE_INFINITY;
      if (
        !Number.isFinite(value) ||
        value < min ||
        value > max ||
        (spec.type === "int" && !Number.isInteger(value))
      )
        throw refuse(
          spec.type === "duration"
            ? `${formatDuration(min)} to ${formatDuration(max)}`
            : `${min} to ${max}`,
        );
      return value;
    }
  }
}
