/**
 * Plain data: what may travel and be stored, and a copy of it. How it is encoded is in value.ts.
 *
 * PLN-1  A copy shares nothing with its original that could change, and equals it as VAL-1 says.
 * PLN-2  What cannot be encoded is refused with `DATA_UNENCODABLE` and its path, when it is copied as when it is encoded.
 */
import { fail } from "./fail.ts";

/** Deeper nesting is refused on both sides, so that neither overflows its stack. */
export const maxDepth = 128;

/** Stands for a property that is not there, where columns are made of rows with different fields. */
export const absent: unique symbol = Symbol("absent");

export type Plainness = "object" | "bare" | "array" | "bytes" | "date" | "map" | "set" | "other";

/** What kind of plain data an object is; `other` cannot travel. */
export function plainness(value: object): Plainness {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return "object";
  if (Array.isArray(value)) return prototype === Array.prototype ? "array" : "other";
  if (prototype === null) return "bare";
  if (value instanceof Uint8Array) return "bytes";
  if (prototype === Date.prototype) return "date";
  if (prototype === Map.prototype) return "map";
  if (prototype === Set.prototype) return "set";
  return "other";
}

/** A copy that shares no changeable part with the value. Throws `DATA_UNENCODABLE` as encoding would. */
export function copyValue(value: unknown, depth = 0): unknown {
  return copy(value, depth, false);
}

/**
 * A copy for another reader of a record. What can't travel (instances of classes, functions) is shared: that record has not been encoded,
 * and need not be.
 */
export function copyRecord(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth >= maxDepth) return value;
  switch (plainness(value)) {
    case "object":
    case "bare": {
      const result = plainness(value) === "bare" ? (Object.create(null) as object) : {};
      for (const name of Object.keys(value)) {
        const field = (value as Record<string, unknown>)[name];
        setField(result, name, typeof field === "object" ? copyRecord(field, depth + 1) : field);
      }
      return result;
    }
    case "array":
      return (value as readonly unknown[]).map((item) => copyRecord(item, depth + 1));
    case "bytes":
      return new Uint8Array(value as Uint8Array);
    case "date":
      return new Date((value as Date).getTime());
    case "map":
      return new Map(
        [...(value as Map<unknown, unknown>)].map(
          ([k, v]) => [copyRecord(k, depth + 1), copyRecord(v, depth + 1)] as const,
        ),
      );
    case "set":
      return new Set([...(value as Set<unknown>)].map((item) => copyRecord(item, depth + 1)));
    case "other":
      return value;
  }
}

/** A copy to be kept for long: its strings keep nothing alive but themselves. Throws `DATA_UNENCODABLE`. */
export function ownValue(value: unknown): unknown {
  return copy(value, 0, true);
}

/** Shorter strings are never slices of others. */
const minSlice = 13;
/**
 * The same string in memory of its own. What is cut from a batch's joined text, or from a line, is a slice in V8 that keeps all of the
 * text alive; joining one character to it makes a new string, and cutting that off again a slice of that.
 */
export function ownText(text: string): string {
  return text.length < minSlice ? text : `${text} `.slice(0, -1);
}

function copy(value: unknown, depth: number, own: boolean): unknown {
  if (typeof value === "string") return own ? ownText(value) : value;
  if (typeof value === "function" || (typeof value === "symbol" && value !== absent))
    throw unencodable(value, "");
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) throw unencodable(value, "", "nested too deeply, or in a cycle");
  switch (plainness(value)) {
    case "array":
      return copyItems(value as readonly unknown[], depth, own);
    case "bytes":
      return new Uint8Array(value as Uint8Array);
    case "date":
      return new Date((value as Date).getTime());
    case "object":
      return copyFields(value, {}, depth, own);
    case "bare":
      return copyFields(value, Object.create(null) as object, depth, own);
    case "map": {
      const result = new Map<unknown, unknown>();
      for (const [k, v] of value as Map<unknown, unknown>)
        inside("key", () => result.set(copy(k, depth + 1, own), copy(v, depth + 1, own)));
      return result;
    }
    case "set":
      return new Set(copyItems([...(value as Set<unknown>)], depth, own));
    default:
      throw unencodable(value, "");
  }
}

export function unencodable(value: unknown, path: string, reason?: string): Error {
  return fail("DATA_UNENCODABLE", {
    fields: { path, found: nameOf(value), ...(reason === undefined ? {} : { reason }) },
  });
}

/** Adds the outer part of the path to a `DATA_UNENCODABLE` on its way out. */
export function withPath(
  error: unknown,
  step: string,
  extra: Readonly<Record<string, number>> = {},
): unknown {
  if (
    typeof error !== "object" ||
    error === null ||
    !("code" in error) ||
    error.code !== "DATA_UNENCODABLE"
  )
    return error;
  const { fields } = error as unknown as { fields: { path: string; found: string } };
  return fail("DATA_UNENCODABLE", { fields: { ...fields, path: step + fields.path, ...extra } });
}

/** Sets a property as own data, also when its name is `__proto__`. */
export function setField(target: object, name: string, value: unknown): void {
  if (name === "__proto__")
    Object.defineProperty(target, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  else (target as Record<string, unknown>)[name] = value;
}

function copyItems(items: readonly unknown[], depth: number, own: boolean): unknown[] {
  const result = new Array<unknown>(items.length);
  for (let i = 0; i < items.length; i++) {
    try {
      result[i] = copy(items[i], depth + 1, own);
    } catch (error) {
      throw withPath(error, `[${i}]`);
    }
  }
  return result;
}

function copyFields(value: object, result: object, depth: number, own: boolean): object {
  for (const name of Object.keys(value)) {
    try {
      setField(result, name, copy((value as Record<string, unknown>)[name], depth + 1, own));
    } catch (error) {
      throw withPath(error, `.${name}`);
    }
  }
  return result;
}

/** Runs a step whose failures lie inside a `what`. */
export function inside(what: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw withPath(error, `<${what}>`);
  }
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  const made: unknown = value.constructor;
  return typeof made === "function" && made.name !== "" ? made.name : "object";
}
