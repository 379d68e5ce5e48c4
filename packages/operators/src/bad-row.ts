/** Rows that a source could not read, as its dead-letter side carries them. */
import { errorInfo } from "@millrace/base";
import type { BadRow } from "@millrace/spi";

/** `place`: where the row stands when the error does not say. */
export function badRowOf(error: unknown, text: string, place: string | undefined): BadRow {
  const { code, message, fields } = errorInfo(error);
  const { file, line, column, ...rest } = fields;
  const [, path = place, at] = /^(.*):(\d+)$/.exec(place ?? "") ?? [];
  const details = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
  return {
    file: typeof file === "string" ? file : (path ?? ""),
    line: numberOf(line) ?? numberOf(Number(at)),
    column: numberOf(column),
    text,
    error: `${code}: ${[message, ...details].join(", ")}`,
  };
}

export function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_name, v: unknown) => (typeof v === "bigint" ? v.toString() : v)) ??
    String(value)
  );
}

function numberOf(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}
