/**
 * A record batch: rows that cross a boundary together. Columns are the truth; objects are made on demand.
 *
 * BAT-1  Rows keep their order from the writer that added them to the reader that yields them.
 * BAT-2  decode(encode(rows)) equals rows: -0, NaN, undefined-versus-absent, null, lone surrogates, nested objects included.
 * BAT-3  Two encodings of equal key values hash equally: the hash is over the canonical value, not over the column.
 * BAT-4  A decoder never allocates by a claimed length: it checks every length against the bytes that are there, and
 *        answers a malformed batch with `DATA_BAD_BATCH`.
 * BAT-5  An encoded batch that is taken when the writer is full stays under `maxBatchBytes`, unless a row is larger than 16 KB.
 * BAT-6  A row is captured when it is added: what happens to the object later does not show in the batch.
 *
 * No timestamp is NaN in the Float64 column; compare with `Number.isNaN`.
 */

import type { KeyedRows, KeyedRowsOptions } from "./keyed-rows.ts";

/** V8 keeps a joined string out of the large-object space below 128 KB; see the design's section 3. */
export const maxBatchBytes = 96 * 1024;
/** Short rows: more than this gains nothing and delays the first of them. */
export const maxBatchRows = 4_096;

export interface RecordBatch {
  readonly rows: number;
  /** Event time per row, ms; NaN where a row has none. */
  readonly timestamps: Float64Array;
  /** Stable key hashes per row when the edge is keyed. */
  readonly hashes: Uint32Array | undefined;
  /** All rows as values, made at the first call and kept. Plain objects have their fields in the writer's order. */
  values(): unknown[];
  /**
   * One field of all rows without making row objects, or undefined when rows are not uniform objects with that field.
   * The array is the batch's own: read only.
   */
  column(field: string): ColumnView | undefined;
}

/** Reading access to one column. `get` returns what the field of the row object would hold (undefined when absent). */
export interface ColumnView {
  readonly kind: "float64" | "int32" | "string" | "other";
  /** Set when every row has a plain number: index it directly. */
  readonly numbers: Float64Array | Int32Array | undefined;
  /** Set when every row has a string and all are ASCII: compare and copy the bytes instead of making strings. */
  readonly ascii: AsciiColumn | undefined;
  get(row: number): unknown;
}

/** The strings of a column as they lie in the batch: row i from `from + ends[i - 1]` (0 for the first row) to `from + ends[i]`. */
export interface AsciiColumn {
  readonly bytes: Uint8Array;
  readonly from: number;
  /** Ascending, and the last lies within the bytes. */
  readonly ends: Uint32Array;
}

/** Collects rows and encodes them. One per output channel, reused for its life. */
export interface BatchWriter {
  readonly rows: number;
  /** About the encoded size so far, cheap: at least half of it, and not far above it. */
  readonly estimatedBytes: number;
  /** True when the batch must be taken before another row is added. */
  readonly full: boolean;
  /** Throws `DATA_UNENCODABLE` naming row and path for functions, symbols, class instances; the row is then not in the batch. */
  add(value: unknown, timestamp: number, hash: number): void;
  /**
   * As `add`, for a row whose hash is that of `key`; strings are hashed together by `take`. Throws `DATA_BAD_KEY`, too; the row is then not in
   * the batch.
   */
  addKeyed(value: unknown, timestamp: number, key: unknown): void;
  /**
   * As `add`, or on a keyed edge `addKeyed`, for the rows from `from` up to `to`, captured together: quicker, where it can be done. Answers
   * `to`, or `from` when it can't: then none of them is in the batch.
   */
  addMany(values: readonly unknown[], timestamps: Float64Array, from: number, to: number): number;
  /** The encoded batch, to be read until the next row is added; the writer is empty afterwards. */
  take(): Uint8Array<ArrayBuffer>;
}

export interface BatchCodec {
  /** `hashed`: the edge is keyed and the hash column travels with the batch. `keyField`: the field that is the key, if one is. */
  createWriter(options: { readonly hashed: boolean; readonly keyField?: string }): BatchWriter;
  /** For a keyed edge with several channels. */
  createKeyedRows(options: KeyedRowsOptions): KeyedRows;
  /** Throws `DATA_BAD_BATCH`. The batch may point into `bytes`: the caller gives the buffer away. */
  decode(bytes: Uint8Array): RecordBatch;
}
