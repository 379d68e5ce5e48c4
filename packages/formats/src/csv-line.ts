/**
 * One CSV record to its fields and back (RFC 4180): fields in quotes may hold delimiters, doubled quotes and line breaks.
 *
 * CSV-1  An unclosed quote at the line's end means that the record goes on in the next line: "more".
 */
import { fail } from "./fail.ts";

/** The fields, or "more". Throws `FORMAT_BAD_RECORD` with the column of what is wrong. */
export function splitCsv(text: string, delimiter: string): string[] | "more" {
  if (!text.includes('"')) return text.split(delimiter);
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let field = "";
      let from = at + 1;
      for (;;) {
        const quote = text.indexOf('"', from);
        if (quote < 0) return "more";
        field += text.slice(from, quote);
        if (text[quote + 1] === '"') {
          field += '"';
          from = quote + 2;
          continue;
        }
        at = quote + 1;
        break;
      }
      fields.push(field);
      if (at === text.length) return fields;
      if (text[at] !== delimiter)
        throw fail("FORMAT_BAD_RECORD", {
          fields: { column: at + 1, reason: "text after a closing quote" },
        });
      at += 1;
      continue;
    }
    const end = text.indexOf(delimiter, at);
    const field = end < 0 ? text.slice(at) : text.slice(at, end);
    const quote = field.indexOf('"');
    if (quote >= 0)
      throw fail("FORMAT_BAD_RECORD", {
        fields: { column: at + quote + 1, reason: "a quote inside an unquoted field" },
      });
    fields.push(field);
    if (end < 0) return fields;
    at = end + 1;
  }
}

export function joinCsv(fields: readonly string[], delimiter: string): string {
  return fields
    .map((field) =>
      field.includes(delimiter) || /["\r\n]/.test(field)
        ? `"${field.replaceAll('"', '""')}"`
        : field,
    )
    .join(delimiter);
}
