/**
 * Typed values as JSON: defaults of fields in stored schemas, parameters, previews.
 *
 * VJS-1  valueFromJson(type, valueToJson(type, v)) equals v. What JSON lacks is text by type: bigint as decimal digits, bytes as
 *        hex, NaN, ±Infinity and -0 as their names. Only `json` and the adaptive `unknown` stay as they are.
 */
import { checkValue, mismatch } from "./check-value.ts";
import { setField } from "./plain.ts";
import type { TypeNode } from "./type.ts";
import { typeToText } from "./type-text.ts";

/** Throws `DATA_TYPE_MISMATCH` when the value is not of the type. */
export function valueToJson(type: TypeNode, value: unknown): unknown {
  checkValue(type.kind === "unknown" ? { kind: "json" } : type, value);
  return toJson(type, value);
}

/** Throws `DATA_TYPE_MISMATCH` when the JSON does not describe a value of the type. */
export function valueFromJson(type: TypeNode, json: unknown): unknown {
  const value = fromJson(type, json);
  checkValue(type, value);
  return value;
}

function toJson(type: TypeNode, value: unknown): unknown {
  switch (type.kind) {
    case "bigint":
      return String(value);
    case "bytes":
      return Array.from(value as Uint8Array, (b) => b.toString(16).padStart(2, "0")).join("");
    case "float64":
    case "timestamp":
      return Object.is(value, -0) ? "-0" : Number.isFinite(value) ? value : String(value);
    case "nullable":
      return value === null ? null : toJson(type.of, value);
    case "array":
      return (value as unknown[]).map((v) => toJson(type.of, v));
    case "tuple":
      return type.items.map((item, i) => toJson(item, (value as unknown[])[i]));
    case "map":
      return mapFields(value as object, (v) => toJson(type.of, v));
    case "object":
      return objectOf(type.fields, value as Record<string, unknown>, toJson);
    default:
      return value;
  }
}

function fromJson(type: TypeNode, json: unknown): unknown {
  const bad = () => mismatch(typeToText(type), json, "");
  switch (type.kind) {
    case "bigint":
      if (typeof json !== "string" || !/^-?\d+$/.test(json)) throw bad();
      return BigInt(json);
    case "bytes":
      if (typeof json !== "string" || !/^(?:[\da-f]{2})*$/.test(json)) throw bad();
      return Uint8Array.from(json.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    case "float64":
    case "timestamp":
      return json === "-0"
        ? -0
        : json === "NaN" || json === "Infinity" || json === "-Infinity"
          ? Number(json)
          : json;
    case "nullable":
      return json === null ? null : fromJson(type.of, json);
    case "array":
      if (!Array.isArray(json)) throw bad();
      return json.map((v) => fromJson(type.of, v));
    case "tuple":
      if (!Array.isArray(json) || json.length !== type.items.length) throw bad();
      return type.items.map((item, i) => fromJson(item, json[i]));
    case "map":
      if (typeof json !== "object" || json === null) throw bad();
      return mapFields(json, (v) => fromJson(type.of, v));
    case "object":
      if (typeof json !== "object" || json === null) throw bad();
      return objectOf(type.fields, json as Record<string, unknown>, fromJson);
    default:
      return json;
  }
}

function mapFields(value: object, convert: (v: unknown) => unknown): object {
  const result = {};
  for (const [name, v] of Object.entries(value)) setField(result, name, convert(v));
  return result;
}

type Fields = Extract<TypeNode, { kind: "object" }>["fields"];
function objectOf(
  fields: Fields,
  value: Record<string, unknown>,
  convert: (type: TypeNode, v: unknown) => unknown,
): object {
  const result = {};
  for (const { name, type } of fields) {
    if (Object.hasOwn(value, name) && value[name] !== undefined)
      setField(result, name, convert(type, value[name]));
  }
  return result;
}
