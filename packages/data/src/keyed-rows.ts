/**
 * Rows of a keyed edge with several channels on their way to the channels' batches: captured one by one, hashed and dealt together.
 *
 * KRW-1  A row is captured when it is added (BAT-6); rows of one key reach their channel in the order in which they were added.
 * KRW-2  At most `maxRows` rows and some `maxBytes` wait, so that a batch that is given all of them stays within its bounds (BAT-5).
 */
import type { BatchWriter } from "./batch.ts";
import type { ColumnBatchWriter } from "./batch-writer.ts";
import { hashStrings } from "./hash-column.ts";
import { hashKey } from "./key.ts";
import { keyColumnOf, learnPlan, type Plan } from "./plan.ts";
import { createRowSink, type RowSink, tryPut } from "./shape.ts";

const maxRows = 128;
const maxBytes = 8 * 1_024;
/** After this many rows in a row that were of another shape than the one before, rows go by themselves for `restRows`. */
const maxMisses = 3;
const restRows = 4_096;

export interface KeyedRowsOptions {
  readonly channels: number;
  readonly channelOf: (hash: number) => number;
  /** The field that is the key, if one is. */
  readonly keyField?: string | undefined;
}

export class KeyedRows {
  /** Rows that wait. */
  rows = 0;
  readonly timestamps = new Float64Array(maxRows);
  readonly hashes = new Uint32Array(maxRows);
  plan: Plan | undefined;
  sink: RowSink | undefined;
  /** What a writer has learnt from the rows so far: the plan from the next first row on. */
  learnt: Plan | undefined;
  #misses = 0;
  #rest = 0;
  readonly #keys: string[] = [];
  #keyCount = 0;
  #bytes = 0;
  /** Rows in the order of their channels, and where each channel's begin. */
  readonly #order = new Int32Array(maxRows);
  readonly #channels = new Int32Array(maxRows);
  readonly #begins: Int32Array;
  readonly #channelOf: (hash: number) => number;

  readonly #keyField: string | undefined;
  /** Of the plan; -1: the key is not one of its fields. */
  #keyColumn = -1;

  constructor({ channels, channelOf, keyField }: KeyedRowsOptions, plan?: Plan) {
    this.learnt = plan;
    this.#keyField = keyField;
    this.#begins = new Int32Array(channels + 1);
    this.#channelOf = channelOf;
  }
  get full(): boolean {
    return this.rows === maxRows || this.#bytes >= maxBytes;
  }
  /** False, and nothing is captured, when the row is not of the shape of those before it: they must go first, and it goes by itself. Throws `DATA_BAD_KEY`. */
  tryAdd(value: unknown, timestamp: number, key: unknown): boolean {
    const row = this.rows;
    if (typeof value !== "object" || value === null) return false;
    if (row === 0 && !this.#begin(value)) return false;
    const hash = typeof key === "string" ? 0 : hashKey(key);
    const size = this.sink === undefined ? -1 : tryPut(this.sink, value, row);
    if (size < 0) {
      // Those that wait have the old shape; the next row to come first may have a new one.
      if (row === 0) this.#missed();
      return false;
    }
    if (row === 1) this.#misses = 0;
    if (typeof key === "string") {
      this.#keys[row] = key;
      this.#keyCount += 1;
    } else this.hashes[row] = hash;
    this.timestamps[row] = timestamp;
    this.#bytes += size;
    this.rows = row + 1;
    return true;
  }
  /** As many rows as there is room for, captured together; answers the first that was not taken, which is `from` when it can't be done. */
  addMany(values: readonly unknown[], timestamps: Float64Array, from: number, to: number): number {
    const row = this.rows;
    const end = Math.min(to, from + maxRows - row);
    const first = values[from];
    if (row === 0 && (typeof first !== "object" || first === null || !this.#begin(first)))
      return from;
    if (this.#keyColumn < 0) return from;
    const size = this.sink?.putMany?.(values, from, end, row) ?? -1;
    if (size < 0 || this.#bytes + size > 2 * maxBytes || !this.#takeKeys(row, end - from))
      return from;
    for (let i = from; i < end; i++) this.timestamps[row + i - from] = timestamps[i]!;
    this.#bytes += size;
    this.rows = row + end - from;
    if (this.rows > 1) this.#misses = 0;
    return end;
  }
  /** False when one of them can't be a key. */
  #takeKeys(row: number, count: number): boolean {
    const column = this.sink?.columns()[this.#keyColumn];
    if (column instanceof Float64Array) {
      for (let i = row; i < row + count; i++) if (column[i] !== column[i]) return false;
      for (let i = row; i < row + count; i++) this.hashes[i] = hashKey(column[i]);
    } else {
      for (let i = row; i < row + count; i++) this.#keys[i] = (column as string[])[i]!;
      this.#keyCount += count;
    }
    return true;
  }
  /** Gives all rows to the writers; `after` is called for each channel that got some. */
  deal(
    writerOf: (channel: number) => BatchWriter,
    after: (channel: number, rows: number) => void,
  ): void {
    const { rows } = this;
    if (rows === 0) return;
    this.#hash();
    const begins = this.#begins.fill(0);
    const order = this.#order;
    for (let row = 0; row < rows; row++) {
      const channel = this.#channelOf(this.hashes[row]!);
      this.#channels[row] = channel;
      begins[channel]! += 1;
    }
    let end = 0;
    for (let channel = 0; channel < begins.length; channel++) {
      end += begins[channel]!;
      begins[channel] = end;
    }
    for (let row = rows - 1; row >= 0; row--) order[--begins[this.#channels[row]!]!] = row;
    this.rows = 0;
    this.#bytes = 0;
    for (let channel = 0; channel + 1 < begins.length; channel++) {
      const from = begins[channel]!;
      const to = begins[channel + 1]!;
      if (from === to) continue;
      (writerOf(channel) as ColumnBatchWriter).addRows(this, order, from, to);
      after(channel, to - from);
    }
  }

  #hash(): void {
    const { rows } = this;
    if (this.#keyCount === rows) hashStrings(this.#keys, rows, this.hashes);
    else if (this.#keyCount > 0)
      for (let row = 0; row < rows; row++)
        if (this.#keys[row] !== undefined) this.hashes[row] = hashKey(this.#keys[row]);
    this.#keys.length = 0;
    this.#keyCount = 0;
  }
  /** There is a sink for the first row. */
  #begin(value: object): boolean {
    if (this.#rest > 0) {
      this.#rest -= 1;
      return false;
    }
    const plan = this.learnt ?? (this.sink === undefined ? learnPlan([value], 1) : this.plan);
    this.learnt = undefined;
    if (plan !== this.plan || this.sink === undefined)
      this.sink = plan === undefined ? undefined : createRowSink(plan);
    this.plan = plan;
    this.#keyColumn = plan === undefined ? -1 : keyColumnOf(plan, this.#keyField);
    return this.sink !== undefined;
  }
  /** The first row was not of the shape of those before it: the next may begin another. */
  #missed(): void {
    this.sink = undefined;
    this.#misses += 1;
    if (this.#misses < maxMisses) return;
    this.#misses = 0;
    this.#rest = restRows;
  }
}
