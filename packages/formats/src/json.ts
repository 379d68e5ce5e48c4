/**
 * JSON lines, checked against a type.
 *
 * JSN-1  A record is of the type or it is refused with the path of what is wrong; fields that the type does not name are dropped.
 * JSN-2  Timestamps are read from milliseconds or from ISO 8601 text with a zone; bigints are text in JSON.
 * JSN-3  NaN and infinities have no JSON: they are refused when written.
 */
import { isMillraceError } from "@millrace/base";
import { checkValue, type Type, type TypeNode, typeNodeOf, unknownType } from "@millrace/data";
import type { FormatDefinition, FormatEncoder } from "@millrace/spi";
import { fail } from "./fail.ts";
import { defineFormat, type Format } from "./format.ts";
import { jsonFault } from "./json-fault.ts";
import { setOwn } from "./set-own.ts";
import { decodeLine, withoutByteOrderMark } from "./text.ts";
import { parseTimestamp } from "./timestamp.ts";

const encoder = new TextEncoder();

export function json<T>(type: Type<T>): Format<T> {
  return defineFormat<T>(jsonDefinition(typeNodeOf(type)));
}

function jsonDefinition(type: TypeNode): FormatDefinition {
  const convert = converterOf(type);
  return {
    name: "json",
    type,
    describe: {},
    createDecoder: () => ({
      header: false,
      readHeader() {},
      decode(line) {
        const text = withoutByteOrderMark(decodeLine(line));
        if (text.trim() === "") return undefined;
        const value = convert(parse(text));
        try {
          if (type.kind !== "unknown") checkValue(type, value);
        } catch (error) {
          if (!isMillraceError(error)) throw error;
          throw fail("FORMAT_BAD_RECORD", {
            fields: {
              column: 1,
              path: String(error.fields["path"] ?? ""),
              reason: `expected ${String(error.fields["expected"] ?? "")}, found ${String(error.fields["found"] ?? "")}`,
            },
            cause: error,
          });
        }
        return { value };
      },
    }),
    createEncoder: jsonEncoder,
  };
}

function jsonEncoder(): FormatEncoder {
  return {
    header: () => undefined,
    encode(value) {
      const text = textOf(value);
      if (text === undefined)
        throw fail("FORMAT_UNENCODABLE", { fields: { format: "json", reason: typeof value } });
      return encoder.encode(`${text}\n`);
    },
  };
}
/** A cycle, a depth beyond the stack and a `toJSON` that throws are the value's fault as well. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, replace);
  } catch (error) {
    if (isMillraceError(error)) throw error;
    throw fail("FORMAT_UNENCODABLE", {
      fields: { format: "json", reason: String(error).split("\n")[0] ?? "" },
      cause: error,
    });
  }
}

/** `this[key]` is the value before its `toJSON`: a Node.js buffer has one. */
function replace(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value))
    throw fail("FORMAT_UNENCODABLE", {
      fields: { format: "json", field: key, reason: String(value) },
    });
  if (typeof value !== "object" || value === null) return value;
  const raw = this[key];
  if (raw instanceof Uint8Array)
    return Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fail("FORMAT_BAD_RECORD", { fields: jsonFault(text), cause: error });
  }
}

type Convert = (value: unknown) => unknown;
const same: Convert = (value) => value;

/** From what JSON has to what the type says; values that do not fit are left for the check to name. */
function converterOf(type: TypeNode): Convert {
  switch (type.kind) {
    case "timestamp":
      return (value) => (typeof value === "string" ? (parseTimestamp(value) ?? value) : value);
    case "bigint":
      return (value) =>
        typeof value === "string" && /^-?\d{1,400}$/.test(value)
          ? BigInt(value)
          : typeof value === "number" && Number.isSafeInteger(value)
            ? BigInt(value)
            : value;
    case "bytes":
      return (value) =>
        typeof value === "string" && /^([0-9a-f]{2})*$/i.test(value)
          ? Uint8Array.from(value.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16))
          : value;
    case "nullable": {
      const inner = converterOf(type.of);
      return (value) => (value === null || value === undefined ? null : inner(value));
    }
    case "array": {
      const inner = converterOf(type.of);
      return inner === same ? same : (value) => (Array.isArray(value) ? value.map(inner) : value);
    }
    case "map": {
      const inner = converterOf(type.of);
      return inner === same
        ? same
        : (value) =>
            isRecord(value)
              ? Object.fromEntries(Object.entries(value).map(([name, v]) => [name, inner(v)]))
              : value;
    }
    case "object": {
      const fields = type.fields.map((field) => ({
        name: field.name,
        optional: field.optional === true,
        nullable: field.type.kind === "nullable",
        convert: converterOf(field.type),
      }));
      return (value) => {
        if (!isRecord(value)) return value;
        const row: Record<string, unknown> = {};
        for (const field of fields) {
          const raw = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
          if (raw === undefined && (field.optional || !field.nullable)) continue;
          setOwn(row, field.name, field.convert(raw));
        }
        return row;
      };
    }
    default:
      return same;
  }
}
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON lines of whatever comes: what a file sink writes without a format. Last, because it is made while the module loads. */
export const anyJson: FormatDefinition = jsonDefinition(unknownType);
