/** How records become bytes of a file or a message and back. */
import type { TypeNode } from "@millrace/data";

export const formatSymbol = Symbol.for("millrace.format");

export interface FormatDefinition {
  readonly name: string;
  readonly type: TypeNode;
  readonly describe: Readonly<Record<string, string | number | boolean>>;
  /** False: where a record begins can only be told from the file's beginning, so one reader reads all of it. Default true. */
  readonly splittable?: boolean;
  createDecoder(): FormatDecoder;
  createEncoder(): FormatEncoder;
}

/** Decodes a byte stream cut anywhere. One per split; positions are byte offsets in the (decompressed) stream. */
export interface FormatDecoder {
  /**
   * Bytes of a header that precedes the first record (0 when there is none): always read, whatever the start position.
   * Text formats are records of lines; the reader hands over whole lines, the file's first one without a byte order mark.
   */
  readonly header: boolean;
  /** The header line, before the first `decode`. Throws `FORMAT_BAD_HEADER`. */
  readHeader(line: Uint8Array): void;
  /** One record's bytes without the line end. Throws `FORMAT_BAD_RECORD` with `column` (1-based character) in its fields. Undefined: not a record (blank line). "more": the record goes on in the next line. */
  decode(line: Uint8Array): { readonly value: unknown } | undefined | "more";
  /** Behind the last line. Throws `FORMAT_BAD_RECORD` when a record goes on that does not come. */
  end?(): void;
}

export interface FormatEncoder {
  /** What stands once at the start of every file, or undefined. */
  header(): Uint8Array | undefined;
  /** One record with its line end. Throws `FORMAT_UNENCODABLE`. */
  encode(value: unknown): Uint8Array;
}
