/**
 * CSV, typed: each column a field of an object of scalars.
 *
 * CSF-1  With a header, columns are found by name and may come in any order; other columns are ignored. Without, they come in the type's order.
 * CSF-2  The null literal (default: the empty field) is null for a nullable field, absence for an optional one, an error for any other
 *        but a string.
 */
import { nearest } from "@millrace/base";
import { type FieldNode, type Type, type TypeNode, typeNodeOf } from "@millrace/data";
import type { FormatDecoder, FormatEncoder } from "@millrace/spi";
import { joinCsv, splitCsv } from "./csv-line.ts";
import { fail } from "./fail.ts";
import { defineFormat, type Format } from "./format.ts";
import { decodeLine } from "./text.ts";
import { parseTimestamp } from "./timestamp.ts";

export interface CsvOptions {
  /** One character; default ",". */
  delimiter?: string;
  /** The first line names the columns. Default false. */
  header?: boolean;
  /** The text that stands for null; default the empty field. */
  nullLiteral?: string;
}
/** A quoted field may hold this many line breaks; beyond, a quote was forgotten. */
const maxContinued = 1_000;

export function csv<T>(type: Type<T>, options: CsvOptions = {}): Format<T> {
  const node = typeNodeOf(type);
  const { delimiter = ",", header = false, nullLiteral = "" } = options;
  if (node.kind !== "object")
    throw fail("FORMAT_BAD_TYPE", { fields: { format: "csv", type: node.kind } });
  if (delimiter.length !== 1 || delimiter === '"' || delimiter === "\n")
    throw fail("FORMAT_BAD_TYPE", { fields: { format: "csv", delimiter } });
  const columns = node.fields.map((field) => columnOf(field, nullLiteral));
  return defineFormat<T>({
    name: "csv",
    type: node,
    describe: { delimiter, header },
    createDecoder: () => decoderOf(columns, { delimiter, header }),
    createEncoder: () => encoderOf(columns, { delimiter, header, nullLiteral }),
  });
}

interface Column {
  readonly name: string;
  readonly nullable: boolean;
  readonly optional: boolean;
  /** Undefined: not of the type. */
  readonly parse: (text: string) => unknown;
  readonly isNull: (text: string) => boolean;
  readonly expected: string;
}

function columnOf(field: FieldNode, nullLiteral: string): Column {
  const nullable = field.type.kind === "nullable";
  const scalar: TypeNode = field.type.kind === "nullable" ? field.type.of : field.type;
  const parse = parserOf(scalar, field.name);
  return {
    name: field.name,
    nullable,
    optional: field.optional === true,
    parse,
    expected: scalar.kind,
    isNull: (text) =>
      text === nullLiteral && (nullable || field.optional === true || scalar.kind !== "string"),
  };
}

function parserOf(type: TypeNode, name: string): (text: string) => unknown {
  switch (type.kind) {
    case "string":
      return (text) => text;
    case "float64":
      return (text) => number(text);
    case "int64":
      return (text) => whole(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    case "int32":
      return (text) => whole(text, -(2 ** 31), 2 ** 31 - 1);
    case "boolean":
      return (text) =>
        /^(true|t|1)$/i.test(text) ? true : /^(false|f|0)$/i.test(text) ? false : undefined;
    case "timestamp":
      return (text) => number(text) ?? parseTimestamp(text);
    case "bigint":
      return (text) => (/^-?\d{1,400}$/.test(text) ? BigInt(text) : undefined);
    case "enum":
      return (text) => (type.values.includes(text) ? text : undefined);
    default:
      throw fail("FORMAT_BAD_TYPE", { fields: { format: "csv", field: name, type: type.kind } });
  }
}
function number(text: string): number | undefined {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}
function whole(text: string, min: number, max: number): number | undefined {
  const value = number(text);
  return value !== undefined && Number.isInteger(value) && value >= min && value <= max
    ? value
    : undefined;
}

function decoderOf(
  columns: readonly Column[],
  { delimiter, header }: { readonly delimiter: string; readonly header: boolean },
): FormatDecoder {
  let places: readonly number[] = columns.map((_, i) => i);
  let continued: string[] = [];
  return {
    header,
    readHeader(line) {
      const names = splitCsv(decodeLine(line), delimiter);
      if (names === "more")
        throw fail("FORMAT_BAD_HEADER", { fields: { reason: "an unclosed quote" } });
      places = columns.map((column) => {
        const place = names.indexOf(column.name);
        if (place < 0 && !column.optional)
          throw fail("FORMAT_BAD_HEADER", {
            fields: {
              missing: column.name,
              nearest: nearest(column.name, names) ?? "",
              columns: names,
            },
          });
        return place;
      });
    },
    decode(line) {
      const text =
        continued.length === 0 ? decodeLine(line) : `${continued.join("\n")}\n${decodeLine(line)}`;
      if (text === "") return undefined;
      const fields = splitCsv(text, delimiter);
      if (fields === "more") {
        if (continued.length >= maxContinued) {
          continued = [];
          throw fail("FORMAT_BAD_RECORD", { fields: { column: 1, reason: "an unclosed quote" } });
        }
        continued.push(decodeLine(line));
        return "more";
      }
      continued = [];
      return { value: rowOf(columns, places, fields, delimiter) };
    },
  };
}

function rowOf(
  columns: readonly Column[],
  places: readonly number[],
  fields: readonly string[],
  delimiter: string,
): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column;
    const place = places[i] ?? -1;
    const text = place < 0 ? undefined : fields[place];
    if (text === undefined && !column.optional)
      throw fail("FORMAT_BAD_RECORD", {
        fields: {
          column: 1,
          reason: `${fields.length} fields, but ${column.name} is number ${place + 1}`,
        },
      });
    if (text === undefined || column.isNull(text)) {
      if (column.nullable) row[column.name] = null;
      else if (!column.optional) throw bad(column, fields, place, delimiter);
      continue;
    }
    const value = column.parse(text);
    if (value === undefined) throw bad(column, fields, place, delimiter);
    row[column.name] = value;
  }
  return row;
}

function bad(column: Column, fields: readonly string[], place: number, delimiter: string): Error {
  const before = fields
    .slice(0, place)
    .reduce((sum, field) => sum + field.length + delimiter.length, 0);
  return fail("FORMAT_BAD_RECORD", {
    fields: {
      column: before + 1,
      field: column.name,
      reason: `expected ${column.expected}, found ${JSON.stringify((fields[place] ?? "").slice(0, 40))}`,
    },
  });
}

function encoderOf(
  columns: readonly Column[],
  options: { readonly delimiter: string; readonly header: boolean; readonly nullLiteral: string },
): FormatEncoder {
  const encoder = new TextEncoder();
  const { delimiter, nullLiteral } = options;
  return {
    header: () =>
      options.header
        ? encoder.encode(
            `${joinCsv(
              columns.map((column) => column.name),
              delimiter,
            )}\n`,
          )
        : undefined,
    encode(value) {
      const row = value as Readonly<Record<string, unknown>>;
      return encoder.encode(
        `${joinCsv(
          columns.map((column) => textOf(row[column.name], column.name, nullLiteral)),
          delimiter,
        )}\n`,
      );
    },
  };
}
function textOf(value: unknown, name: string, nullLiteral: string): string {
  if (value === null || value === undefined) return nullLiteral;
  if (typeof value === "string") return value;
  if (
    typeof value === "bigint" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value))
  )
    return String(value);
  throw fail("FORMAT_UNENCODABLE", {
    fields: {
      format: "csv",
      field: name,
      reason: typeof value === "number" ? String(value) : typeof value,
    },
  });
}
