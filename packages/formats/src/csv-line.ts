/**
 * One CSV record to its fields and back (RFC 4180): fields in quotes may hold delimiters, doubled quotes and line breaks.
 *
 * CSV-1  A record that ends inside quotes goes on in the next line: what is open is handed back and each line is looked at once.
 *        Line breaks inside quotes are kept as they are, "\r\n" or "\n"; the line break that ends the record is no part of it.
 * CSV-2  After a record that was refused the next line begins a record.
 */
import { fail } from "./fail.ts";

export interface CsvRecord {
  readonly fields: readonly string[];
  /** Which fields stood in quotes, and at which character of the record each began; undefined when no quote was in it. */
  readonly quotes:
    | { readonly quoted: readonly boolean[]; readonly starts: readonly number[] }
    | undefined;
}
/** The beginning of a record that goes on in the next line. */
export interface OpenRecord {
  readonly fields: string[];
  readonly quoted: boolean[];
  readonly starts: number[];
  /** Pieces of the field whose quote is open. */
  readonly pieces: string[];
  /** Characters so far, line breaks included. */
  chars: number;
  lines: number;
}
export const isOpen = (record: CsvRecord | OpenRecord): record is OpenRecord => "pieces" in record;

/** `line` without its "\n". Throws `FORMAT_BAD_RECORD` with the column of what is wrong, counted from the record's beginning. */
export function splitCsv(
  line: string,
  delimiter: string,
  open?: OpenRecord,
): CsvRecord | OpenRecord {
  const end = line.endsWith("\r") ? line.length - 1 : line.length;
  if (open === undefined && !line.includes('"')) {
    const text = end === line.length ? line : line.slice(0, end);
    return { fields: text.split(delimiter), quotes: undefined };
  }
  const record = open ?? { fields: [], quoted: [], starts: [], pieces: [], chars: 0, lines: 0 };
  let at = 0;
  let inQuotes = open !== undefined;
  for (;;) {
    if (inQuotes || line[at] === '"') {
      if (!inQuotes) record.starts.push(record.chars + at++);
      inQuotes = false;
      const closed = closeQuote(line, at, record.pieces);
      if (closed < 0) return goesOn(record, line);
      record.fields.push(record.pieces.splice(0).join(""));
      record.quoted.push(true);
      at = closed;
      if (at >= end) break;
      if (line[at] !== delimiter) throw bad(record.chars + at, "text after a closing quote");
      at += 1;
      continue;
    }
    const next = line.indexOf(delimiter, at);
    const field = line.slice(at, next < 0 ? end : next);
    const quote = field.indexOf('"');
    if (quote >= 0) throw bad(record.chars + at + quote, "a quote inside an unquoted field");
    record.fields.push(field);
    record.quoted.push(false);
    record.starts.push(record.chars + at);
    if (next < 0) break;
    at = next + 1;
  }
  return { fields: record.fields, quotes: { quoted: record.quoted, starts: record.starts } };
}

/** Column (1-based) at which field `place` begins; one behind the record when there is no such field. */
export function columnOf({ fields, quotes }: CsvRecord, place: number): number {
  const start = quotes?.starts[place];
  if (start !== undefined) return start + 1;
  const last = quotes?.starts.at(-1);
  if (last !== undefined)
    return last + (fields.at(-1)?.length ?? 0) + (quotes?.quoted.at(-1) ? 2 : 0) + 1;
  const before = fields.slice(0, place);
  const chars = before.reduce((sum, field) => sum + field.length + 1, 0);
  return place < fields.length ? chars + 1 : chars;
}

/** `null` is written as the null literal; text that equals it is put in quotes, and so is a record that would be an empty line. */
export function joinCsv(
  fields: readonly (string | null)[],
  { delimiter, nullLiteral }: { readonly delimiter: string; readonly nullLiteral: string },
): string {
  let text = "";
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as string | null;
    if (i > 0) text += delimiter;
    text +=
      field === null
        ? nullLiteral
        : mustQuote(field, delimiter, nullLiteral)
          ? quote(field)
          : field;
  }
  return text;
}
function mustQuote(field: string, delimiter: string, nullLiteral: string): boolean {
  return field === nullLiteral || field.includes(delimiter) || /["\r\n]/.test(field);
}
const quote = (field: string): string => `"${field.replaceAll('"', '""')}"`;

/** Reads on from `at` inside quotes; the place behind the closing one, or -1. */
function closeQuote(line: string, at: number, pieces: string[]): number {
  for (let from = at; ; ) {
    const found = line.indexOf('"', from);
    if (found < 0) {
      pieces.push(line.slice(from), "\n");
      return -1;
    }
    pieces.push(line.slice(from, found));
    if (line[found + 1] !== '"') return found + 1;
    pieces.push('"');
    from = found + 2;
  }
}
function goesOn(record: OpenRecord, line: string): OpenRecord {
  record.chars += line.length + 1;
  record.lines += 1;
  return record;
}
function bad(at: number, reason: string): Error {
  return fail("FORMAT_BAD_RECORD", { fields: { column: at + 1, reason } });
}
