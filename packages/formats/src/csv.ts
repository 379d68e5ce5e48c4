/**
 * CSV, typed: each column a field of an object of scalars.
 *
 * CSF-1  With a header, columns are found by name and may come in any order; other columns are ignored. Without, they come in the type's order.
 * CSF-2  The null literal (default: the empty field) is null for a nullable field, absence for an optional one, and a plain text for any
 *        other. In quotes it is the value, where the type has one that is written so: `""` is the empty string, not null.
 * CSF-3  A row has as many fields as the header, or the type, has columns; only optional columns at its end may be missing.
 * CSF-4  What is written is read back equal, but for an absent field that is nullable too (null) and -0 (0).
 */
import { isMillraceError, nearest } from "@millrace/base";
import { type FieldNode, type Type, type TypeNode, typeNodeOf } from "@millrace/data";
import type { FormatDecoder, FormatEncoder } from "@millrace/spi";
import {
  type CsvRecord,
  columnOf,
  isOpen,
  joinCsv,
  type OpenRecord,
  splitCsv,
} from "./csv-line.ts";
import { fail } from "./fail.ts";
import { defineFormat, type Format } from "./format.ts";
import { parseNumber } from "./number.ts";
import { setOwn } from "./set-own.ts";
import { decodeText, withoutByteOrderMark } from "./text.ts";
import { parseTimestamp } from "./timestamp.ts";

export interface CsvOptions {
  /** One character; default ",". */
  delimiter?: string;
  /** The first line names the columns. Default false. */
  header?: boolean;
  /** The text that stands for null; default the empty field. */
  nullLiteral?: string;
  /**
   * Fields in quotes may hold line breaks; default true. Set false, a quote left open is refused on its own line, and a large file
   * can be read by several subtasks: nobody can tell from the middle of a file whether a line break stands in quotes.
   */
  multiline?: boolean;
}
/** A quoted field may hold this many line breaks and characters; beyond, a quote was forgotten. */
const maxOpenLines = 1_000;
const maxOpenChars = 16 * 1024 * 1024;
const encoder = new TextEncoder();

export function csv<T>(type: Type<T>, options: CsvOptions = {}): Format<T> {
  const node = typeNodeOf(type);
  const { delimiter = ",", header = false, nullLiteral = "", multiline = true } = options;
  if (node.kind !== "object")
    throw fail("FORMAT_BAD_TYPE", { fields: { format: "csv", type: node.kind } });
  if (node.fields.length === 0)
    throw fail("FORMAT_BAD_TYPE", { fields: { format: "csv", type: "an object without fields" } });
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter))
    throw fail("FORMAT_BAD_TYPE", { fields: { format: "csv", delimiter } });
  const columns = node.fields.map((field) => columnFor(field, nullLiteral));
  const layout = { columns, delimiter, header, nullLiteral, multiline };
  return defineFormat<T>({
    name: "csv",
    type: node,
    describe: { delimiter, header },
    splittable: !multiline,
    createDecoder: () => decoderOf(layout),
    createEncoder: () => encoderOf(layout),
  });
}

interface Layout {
  readonly columns: readonly Column[];
  readonly delimiter: string;
  readonly header: boolean;
  readonly nullLiteral: string;
  readonly multiline: boolean;
}

interface Column {
  readonly name: string;
  readonly nullable: boolean;
  readonly optional: boolean;
  /** Undefined: not of the type. */
  readonly parse: (text: string) => unknown;
  readonly isNull: (text: string, quoted: boolean) => boolean;
  readonly expected: string;
}

function columnFor(field: FieldNode, nullLiteral: string): Column {
  const nullable = field.type.kind === "nullable";
  const scalar: TypeNode = field.type.kind === "nullable" ? field.type.of : field.type;
  const parse = parserOf(scalar, field.name);
  return {
    name: field.name,
    nullable,
    optional: field.optional === true,
    parse,
    expected: scalar.kind,
    isNull:
      nullable || field.optional === true
        ? (text, quoted) => text === nullLiteral && !(quoted && parse(text) !== undefined)
        : () => false,
  };
}

function parserOf(type: TypeNode, name: string): (text: string) => unknown {
  switch (type.kind) {
    case "string":
      return (text) => text;
    case "float64":
      return parseNumber;
    case "int64":
      return (text) => whole(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    case "int32":
      return (text) => whole(text, -(2 ** 31), 2 ** 31 - 1);
    case "boolean":
      return (text) =>
        /^(true|t|1)$/i.test(text) ? true : /^(false|f|0)$/i.test(text) ? false : undefined;
    case "timestamp":
      // A dash behind four characters: a year and a month, and no number.
      return (text) =>
        text.charCodeAt(4) === 45
          ? parseTimestamp(text)
          : (parseNumber(text) ?? parseTimestamp(text));
    case "bigint":
      return (text) => (/^-?\d{1,400}$/.test(text) ? BigInt(text) : undefined);
    case "enum":
      return (text) => (type.values.includes(text) ? text : undefined);
    default:
      throw fail("FORMAT_BAD_TYPE", { fields: { format: "csv", field: name, type: type.kind } });
  }
}
function whole(text: string, min: number, max: number): number | undefined {
  const value = parseNumber(text);
  return value !== undefined && Number.isInteger(value) && value >= min && value <= max
    ? value
    : undefined;
}

function decoderOf({ columns, delimiter, header, multiline }: Layout): FormatDecoder {
  let places: readonly number[] = columns.map((_, i) => i);
  let width = columns.length;
  let open: OpenRecord | undefined;
  const blankIsRow = () => width === 1 && places[0] === 0 && columns[0]?.isNull("", false) === true;
  return {
    header,
    readHeader(line) {
      const names = headerOf(line, delimiter);
      width = names.length;
      places = columns.map((column) => placeOf(column, names));
    },
    decode(line) {
      // Whatever this line throws, the next one begins a record.
      const before = open;
      open = undefined;
      const text = decodeText(line);
      if (before === undefined && (text === "" || text === "\r") && !blankIsRow()) return undefined;
      const record = splitCsv(text, delimiter, before);
      if (!isOpen(record)) return { value: rowOf(record, { columns, places, width }) };
      if (!multiline || record.lines > maxOpenLines || record.chars > maxOpenChars)
        throw unclosed(record);
      open = record;
      return "more";
    },
    end() {
      const before = open;
      open = undefined;
      if (before !== undefined) throw unclosed(before);
    },
  };
}
function unclosed({ starts }: OpenRecord): Error {
  return fail("FORMAT_BAD_RECORD", {
    fields: { column: (starts.at(-1) ?? 0) + 1, reason: "an unclosed quote" },
  });
}

function headerOf(line: Uint8Array, delimiter: string): readonly string[] {
  let record: CsvRecord | OpenRecord;
  try {
    record = splitCsv(withoutByteOrderMark(decodeText(line)), delimiter);
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    throw fail("FORMAT_BAD_HEADER", { fields: error.fields, cause: error.cause });
  }
  if (isOpen(record)) throw fail("FORMAT_BAD_HEADER", { fields: { reason: "an unclosed quote" } });
  return record.fields;
}
/** -1 for an optional column that the file does not have. */
function placeOf({ name, optional }: Column, names: readonly string[]): number {
  const place = names.indexOf(name);
  if (place >= 0 && names.indexOf(name, place + 1) >= 0)
    throw fail("FORMAT_BAD_HEADER", { fields: { twice: name, columns: names } });
  if (place < 0 && !optional)
    throw fail("FORMAT_BAD_HEADER", {
      fields: { missing: name, nearest: nearest(name, names) ?? "", columns: names },
    });
  return place;
}

function rowOf(
  record: CsvRecord,
  {
    columns,
    places,
    width,
  }: {
    readonly columns: readonly Column[];
    readonly places: readonly number[];
    readonly width: number;
  },
): Record<string, unknown> {
  const { fields, quotes } = record;
  if (fields.length > width) throw wrongWidth(record, width);
  const row: Record<string, unknown> = {};
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as Column;
    const place = places[i] ?? -1;
    const text = place < 0 ? undefined : fields[place];
    if (text === undefined) {
      if (!column.optional) throw wrongWidth(record, width);
      continue;
    }
    if (column.isNull(text, quotes?.quoted[place] === true)) {
      if (column.nullable) setOwn(row, column.name, null);
      continue;
    }
    const value = column.parse(text);
    if (value === undefined) throw unfit(record, column, place);
    setOwn(row, column.name, value);
  }
  return row;
}
function wrongWidth(record: CsvRecord, width: number): Error {
  return fail("FORMAT_BAD_RECORD", {
    fields: {
      column: columnOf(record, width),
      reason: `expected ${width} fields, found ${record.fields.length}`,
    },
  });
}
function unfit(record: CsvRecord, column: Column, place: number): Error {
  return fail("FORMAT_BAD_RECORD", {
    fields: {
      column: columnOf(record, place),
      field: column.name,
      reason: `expected ${column.expected}, found ${JSON.stringify((record.fields[place] ?? "").slice(0, 40))}`,
    },
  });
}

function encoderOf({ columns, header, ...layout }: Layout): FormatEncoder {
  const line = (fields: readonly (string | null)[]) =>
    encoder.encode(`${joinCsv(fields, layout)}\n`);
  return {
    header: () => (header ? line(columns.map((column) => column.name)) : undefined),
    encode(value) {
      const row = value as Readonly<Record<string, unknown>>;
      return line(columns.map((column) => textOf(row[column.name], column)));
    },
  };
}
function textOf(value: unknown, { name, nullable, optional }: Column): string | null {
  if (typeof value === "string" && value.isWellFormed()) return value;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if ((value === null || value === undefined) && (nullable || optional)) return null;
  const reason =
    typeof value === "number"
      ? String(value)
      : typeof value === "string"
        ? "half a character"
        : value === null
          ? "null"
          : typeof value;
  throw fail("FORMAT_UNENCODABLE", { fields: { format: "csv", field: name, reason } });
}
