/** The two codecs: `adaptive` learns the shape of rows from the rows, `typed` starts from the declared one. One wire format. */
import { type BatchCodec, type ColumnView, maxBatchRows, type RecordBatch } from "./batch.ts";
import { ColumnBatchWriter } from "./batch-writer.ts";
import { ByteReader } from "./bytes.ts";
import { bad, guarded, readColumn, typed } from "./column-reader.ts";
import type { Column } from "./columns.ts";
import { KeyedRows } from "./keyed-rows.ts";
import { absent } from "./plain.ts";
import { planOfType } from "./plan.ts";
import type { TypeNode } from "./type.ts";
import { flag, magic0, magic1, maxDecodedRows, version } from "./wire.ts";

/** For streams whose type only TypeScript knows. */
export function adaptiveCodec(): BatchCodec {
  return {
    createWriter: ({ hashed, keyField }) => new ColumnBatchWriter({ hashed, keyField }),
    createKeyedRows: (options) => new KeyedRows(options),
    decode: decodeBatch,
  };
}

/**
 * For streams with a type: the first batch already uses its columns. Rows that are not of the type (tsc is trusted, data is
 * not) are encoded as they are; nothing is lost or refused.
 */
export function typedCodec(type: TypeNode): BatchCodec {
  const plan = planOfType(type);
  return {
    createWriter: ({ hashed, keyField }) => new ColumnBatchWriter({ hashed, keyField, plan }),
    createKeyedRows: (options) => new KeyedRows(options, plan),
    decode: decodeBatch,
  };
}

export function decodeBatch(bytes: Uint8Array): RecordBatch {
  return guarded(() => {
    const input = new ByteReader(bytes);
    if (input.u8() !== magic0 || input.u8() !== magic1) throw bad(0, "not a batch");
    if (input.u8() !== version) throw bad(2, "version");
    const flags = input.u8();
    if (flags > 3) throw bad(3, "flags");
    const rows = input.u32();
    if (rows > maxDecodedRows) throw bad(4, "rows");
    const timestamps =
      (flags & flag.timestamps) !== 0 ? typed(input, Float64Array, rows) : undefined;
    const hashes = (flags & flag.hashes) !== 0 ? typed(input, Uint32Array, rows) : undefined;
    const column = readColumn(input, rows);
    if (input.remaining > 0) throw bad(input.at, "bytes left over");
    return new DecodedBatch(rows, timestamps, hashes, column);
  });
}

const manyNaN = new Float64Array(maxBatchRows).fill(Number.NaN);
/** Shared by the batches without timestamps. */
function noTimestamps(rows: number): Float64Array {
  return rows === maxBatchRows
    ? manyNaN
    : rows < maxBatchRows
      ? manyNaN.subarray(0, rows)
      : new Float64Array(rows).fill(Number.NaN);
}

class DecodedBatch implements RecordBatch {
  readonly rows: number;
  readonly hashes: Uint32Array | undefined;
  readonly #column: Column;
  #timestamps: Float64Array | undefined;
  #values: unknown[] | undefined;

  constructor(
    rows: number,
    timestamps: Float64Array | undefined,
    hashes: Uint32Array | undefined,
    column: Column,
  ) {
    this.rows = rows;
    this.hashes = hashes;
    this.#timestamps = timestamps;
    this.#column = column;
  }
  get timestamps(): Float64Array {
    return (this.#timestamps ??= noTimestamps(this.rows));
  }
  values(): unknown[] {
    if (this.#values === undefined) {
      const values = guarded(() => this.#column.values()) as unknown[];
      if (values.includes(absent)) throw bad(0, "absent row");
      this.#values = values;
    }
    return this.#values;
  }
  column(field: string): ColumnView | undefined {
    return guarded(() => this.#column.field(field));
  }
}
