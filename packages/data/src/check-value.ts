/**
 * Does a value have a type? The check before a value enters typed state.
 *
 * CHK-1  Accepts exactly the values that come back equal from the type's encoding. Nothing is rounded or dropped: int32 and
 *        int64 are range-checked, a timestamp is finite, a field that the type does not name is refused.
 * CHK-2  An optional field may be absent or undefined; undefined is stored as absent.
 */
import { fail } from "./fail.ts";
import { copyValue, maxDepth, plainness } from "./plain.ts";
import type { TypeNode } from "./type.ts";
import { typeToText } from "./type-text.ts";

/** Throws `DATA_TYPE_MISMATCH` with `path`, `expected` and `found`; `DATA_UNENCODABLE` inside `json` and `unknown`. */
export function checkValue(type: TypeNode, value: unknown, path = ""): void {
  if (!matches(type, value, path)) throw mismatch(typeToText(type), value, path);
}

/** `found` shows the value when it is a scalar, else its kind. */
export function mismatch(expected: string, value: unknown, path: string): Error {
  return fail("DATA_TYPE_MISMATCH", { fields: { path, expected, found: show(value) } });
}

function matches(type: TypeNode, value: unknown, path: string): boolean {
  switch (type.kind) {
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "float64":
      return typeof value === "number";
    case "int32":
      return typeof value === "number" && (value | 0) === value;
    case "int64":
      return typeof value === "number" && Number.isSafeInteger(value);
    case "timestamp":
      return typeof value === "number" && Number.isFinite(value);
    case "bigint":
      return typeof value === "bigint";
    case "bytes":
      return value instanceof Uint8Array;
    case "enum":
      return typeof value === "string" && type.values.includes(value);
    case "nullable":
      return value === null || matches(type.of, value, path);
    case "json":
      checkJson(value, path);
      return true;
    case "unknown":
      copyValue(value);
      return true;
    case "array":
      if (!Array.isArray(value)) return false;
      for (let i = 0; i < value.length; i++) checkValue(type.of, value[i], `${path}[${i}]`);
      return true;
    case "tuple":
      if (!Array.isArray(value) || value.length !== type.items.length) return false;
      type.items.forEach((item, i) => {
        checkValue(item, value[i], `${path}[${i}]`);
      });
      return true;
    case "map":
      if (!isRecord(value)) return false;
      for (const name of Object.keys(value)) checkValue(type.of, value[name], `${path}["${name}"]`);
      return true;
    case "object":
      return checkObject(type.fields, value, path);
  }
}

function checkObject(
  fields: Extract<TypeNode, { kind: "object" }>["fields"],
  value: unknown,
  path: string,
): boolean {
  if (!isRecord(value)) return false;
  let present = 0;
  for (const field of fields) {
    const has = Object.hasOwn(value, field.name);
    if (has) present++;
    if (field.optional === true && (!has || value[field.name] === undefined)) continue;
    if (!has) throw mismatch(typeToText(field.type), undefined, `${path}.${field.name}`);
    checkValue(field.type, value[field.name], `${path}.${field.name}`);
  }
  const names = Object.keys(value);
  if (names.length === present) return true;
  const extra = names.find((name) => !fields.some((f) => f.name === name)) ?? "";
  throw mismatch("no such field", value[extra], `${path}.${extra}`);
}

/** Null, booleans, finite numbers, strings, arrays and plain objects of them. */
export function isJson(value: unknown): boolean {
  return jsonFault(value, "", 0) === undefined;
}

function checkJson(value: unknown, path: string): void {
  const fault = jsonFault(value, path, 0);
  if (fault !== undefined) throw mismatch("json", fault.value, fault.path);
}

/** Path of the first part that is not JSON, or undefined. */
function jsonFault(
  value: unknown,
  path: string,
  depth: number,
): { readonly path: string; readonly value: unknown } | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return undefined;
  if (depth < maxDepth && Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const fault = jsonFault(value[i], `${path}[${i}]`, depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (depth < maxDepth && isRecord(value)) {
    for (const name of Object.keys(value)) {
      // An undefined property is what JSON leaves out.
      if (value[name] === undefined) continue;
      const fault = jsonFault(value[name], `${path}.${name}`, depth + 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  return { path, value };
}

/** Any object that is not one of the other kinds: a class instance with the right fields has no faithful way back. */
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const kind = plainness(value);
  return kind === "object" || kind === "bare";
}

function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  const kind = plainness(value);
  return kind === "other" ? (value.constructor?.name ?? "object") : kind;
}
