/**
 * The layout of an encoded batch. Little-endian; positions are relative to the batch's first byte, and typed arrays begin at
 * multiples of their element size, so that a reader whose buffer is aligned uses them in place.
 *
 *   batch   := "MB" version:u8 flags:u8 rows:u32 [timestamps: f64 × rows] [hashes: u32 × rows] column(rows)
 *   column  := kind:u8 …
 *     constant  which:u8 (0 null, 1 undefined, 2 absent) padding(rows)
 *     boolean   bits(rows)
 *     int32     i32 × rows                          float64  f64 × rows           bigint64  i64 × rows
 *     ascii     ends: u32 × rows, bytes             utf8     byteLength: u32, ends: u32 × rows (UTF-16 units), bytes
 *     utf16     ends: u32 × rows, units: u16 × last end
 *     dictionary count:u8 (0 means 256) column(count) codes: u8 × rows
 *     bytes     ends: u32 × rows, bytes
 *     list      ends: u32 × rows, column(last end)
 *     struct    fields:varint { name:utf8 } { length:u32 column(rows) } padding(rows) when there is no field
 *     tagged    length:u32 value × rows             (value.ts)
 *     mask      which:u8 (1 nulls, 2 undefineds, 4 absents) { bits(rows) } column(rows, or for dense kinds those unmasked)
 *   padding(n) := ceil(n / 8) zero bytes: every column is backed by a bit per row, so a claimed count costs the claimant.
 *
 * WIR-1  A column has at most `maxDecodedRows` rows.
 * WIR-2  Rows that are backed by less than a byte each (constant, boolean, struct, and once more under a mask) are at most
 *        `maxDecodedRows` over all columns of a batch: a bit must not cost its reader an object. A writer makes any other column
 *        tagged, which takes a byte or more a row.
 */
export const magic0 = 0x4d;
export const magic1 = 0x42;
export const version = 1;
export const flag = { timestamps: 1, hashes: 2 } as const;

export const kind = {
  constant: 0,
  boolean: 1,
  int32: 2,
  float64: 3,
  bigint64: 4,
  ascii: 5,
  utf8: 6,
  utf16: 7,
  dictionary: 8,
  bytes: 9,
  list: 10,
  struct: 11,
  tagged: 12,
  mask: 13,
} as const;

/** Kinds whose column under a mask holds the unmasked rows only. */
export function isDense(k: number): boolean {
  return (
    k === kind.bigint64 ||
    k === kind.bytes ||
    k === kind.list ||
    k === kind.struct ||
    k === kind.tagged
  );
}

/** Columns nest as far as this; what lies deeper is a tagged column. */
export const maxColumnDepth = 6;
/**
 * A batch of a writer has at most `maxBatchRows`, but one row may hold a list of any length; a reader accepts as many as any later
 * version might send. An array of 2^20 values takes 8 MB and a few ms.
 */
export const maxDecodedRows = 1 << 20;
/** Objects with more fields than this have no struct column. */
export const maxStructFields = 512;
export const padding = (rows: number): number => (rows + 7) >>> 3;

/** Shapes of one batch that a reader generates code for, when it has none yet: some 3 ms. */
const maxNewShapes = 64;

/** Where in a batch a column is read or written: how deep, and what all columns may still take: rows of less than a byte (WIR-2), code. */
export class ColumnPlace {
  readonly depth: number;
  readonly #batch: { bitRows: number; shapes: number };

  private constructor(depth: number, batch: { bitRows: number; shapes: number }) {
    this.depth = depth;
    this.#batch = batch;
  }
  static top(): ColumnPlace {
    return new ColumnPlace(0, { bitRows: maxDecodedRows, shapes: maxNewShapes });
  }
  inner(): ColumnPlace {
    return new ColumnPlace(this.depth + 1, this.#batch);
  }
  /** False, and nothing is taken, when they would be too many. */
  tryTake(rows: number): boolean {
    if (rows > this.#batch.bitRows) return false;
    this.#batch.bitRows -= rows;
    return true;
  }
  /** False when the batch has had code for as many shapes as it may. */
  tryCompile(): boolean {
    return this.#batch.shapes-- > 0;
  }
}
