/**
 * Collects rows into columns as they are added, and encodes them.
 *
 * BAT-6  A row is captured when it is added: what happens to the object later does not show in the batch.
 *
 * Three states. The first row decides; a row that does not fit moves the batch to `values`, and the next batch learns.
 *
 *   empty ──plain object──▶ struct (generated code, columns filled in `add`) ──other shape──▶ values
 *     └────anything else──▶ values (array of copies; the column is chosen in `take`)
 */
import { type BatchWriter, maxBatchBytes, maxBatchRows } from "./batch.ts";
import { ByteWriter } from "./bytes.ts";
import { writeColumn, writeFloats, writeStruct } from "./column-writer.ts";
import { hashAscii, hashStrings } from "./hash-column.ts";
import { hashKey } from "./key.ts";
import type { KeyedRows } from "./keyed-rows.ts";
import { absent, copyValue, setField, withPath } from "./plain.ts";
import { type FieldPlan, keyColumnOf, learnPlan, type Plan } from "./plan.ts";
import { createRowSink, type RowSink, roughSize, tryPut } from "./shape.ts";
import { looksRepetitive, reserve, type TextPlace, writeTexts } from "./text-column.ts";
import { ColumnPlace, flag, magic0, magic1, version } from "./wire.ts";

/**
 * The estimate at which a batch is full: 40 KB. The estimate counts a byte per UTF-16 unit and a column takes two at most, so
 * 40 KB and one more row of up to 8 KB stay below 2 * 48 KB = `maxBatchBytes` (BAT-5).
 */
export const fullBatchBytes = (maxBatchBytes * 5) / 12;
/** Fixed bytes per row: offsets, masks, timestamp, hash. */
const rowOverhead = 12;
/** After this many batches in a row that did not fit, shapes are not tried again for `restBatches`. */
const maxMisses = 3;
const restBatches = 64;

export class ColumnBatchWriter implements BatchWriter {
  readonly #hashed: boolean;
  readonly #keyField: string | undefined;
  /** The key field's place in the plan; -1: the key is not one of its fields. */
  #keyColumn = -1;
  readonly #out = new ByteWriter(1_024);
  #rows = 0;
  #estimate = 0;
  #timestamps = new Float64Array(64);
  #hashes = new Uint32Array(64);
  /** Rows whose key is a string that is not hashed yet; and those keys by row, where they are not a column of the sink. */
  #keyCount = 0;
  readonly #keys: string[] = [];
  #timed = false;
  #values: unknown[] = [];
  #plan: Plan | undefined;
  #sink: RowSink | undefined;
  /** The plan knows more than the one that it came from. */
  #hasLearnt = false;
  /** The rows so far are in the sink. */
  #inSink = false;
  #misses = 0;
  #batches = 0;
  /** Bytes of the struct column before its rows. */
  #frame = 0;

  constructor({
    hashed,
    keyField,
    plan,
  }: {
    readonly hashed: boolean;
    readonly keyField?: string | undefined;
    readonly plan?: Plan | undefined;
  }) {
    this.#hashed = hashed;
    this.#keyField = keyField;
    if (plan !== undefined) this.#usePlan(plan);
  }
  get rows(): number {
    return this.#rows;
  }
  get estimatedBytes(): number {
    return this.#estimate;
  }
  get full(): boolean {
    return this.#rows >= maxBatchRows || this.#estimate >= fullBatchBytes;
  }

  add(value: unknown, timestamp: number, hash: number): void {
    const row = this.#rows;
    if (typeof value === "object" && value !== null) this.#addObject(value, row);
    else this.#addScalar(value, row);
    if (row >= this.#timestamps.length) this.#grow();
    this.#timestamps[row] = timestamp;
    if (timestamp === timestamp) this.#timed = true;
    this.#hashes[row] = hash;
    this.#rows = row + 1;
  }

  addKeyed(value: unknown, timestamp: number, key: unknown): void {
    if (typeof key !== "string") return this.add(value, timestamp, hashKey(key));
    const row = this.#rows;
    this.add(value, timestamp, 0);
    if (!this.#inSink || this.#keyColumn < 0) this.#keys[row] = key;
    this.#keyCount += 1;
  }

  addMany(values: readonly unknown[], timestamps: Float64Array, from: number, to: number): number {
    const row = this.#rows;
    const first = values[from];
    if (row === 0 && typeof first === "object" && first !== null) this.#begin(first);
    if (!this.#inSink || (this.#hashed && this.#keyColumn < 0) || row + to - from > maxBatchRows)
      return from;
    const size = (this.#sink as RowSink).putMany?.(values, from, to, row) ?? -1;
    const estimate = this.#estimate + size + rowOverhead * (to - from);
    // The row that fills a batch is its last (BAT-5).
    if (size < 0 || estimate >= fullBatchBytes) return from;
    while (row + to - from > this.#timestamps.length) this.#grow();
    if (this.#hashed && !this.#takeKeys(row, to - from)) return from;
    for (let i = from; i < to; i++) {
      const timestamp = timestamps[i]!;
      this.#timestamps[row + i - from] = timestamp;
      if (timestamp === timestamp) this.#timed = true;
    }
    this.#estimate = estimate;
    this.#rows = row + to - from;
    return to;
  }
  /** False when one of them can't be a key. */
  #takeKeys(row: number, count: number): boolean {
    const column = (this.#sink as RowSink).columns()[this.#keyColumn];
    if (!(column instanceof Float64Array)) {
      this.#keyCount += count;
      return true;
    }
    for (let i = row; i < row + count; i++) if (column[i] !== column[i]) return false;
    for (let i = row; i < row + count; i++) this.#hashes[i] = hashKey(column[i]);
    return true;
  }

  /** Rows that wait elsewhere, `order[from]` to `order[to - 1]`, with their hashes. */
  addRows(rows: KeyedRows, order: Int32Array, from: number, to: number): void {
    const { plan, sink } = rows as { readonly plan: Plan; readonly sink: RowSink };
    if (this.#rows === 0 && this.#misses < maxMisses) {
      if (this.#hasLearnt) rows.learnt = this.#plan;
      this.#hasLearnt = false;
      if (this.#plan !== plan) this.#usePlan(plan);
      this.#inSink = true;
      this.#estimate = this.#frame;
    }
    if (this.#plan !== plan || !this.#inSink) {
      for (let k = from; k < to; k++) {
        const row = order[k]!;
        this.add(rowOf(plan, sink, row), rows.timestamps[row]!, rows.hashes[row]!);
      }
      return;
    }
    const size = (this.#sink as RowSink).take(sink, order, from, to, this.#rows);
    this.#estimate += size + rowOverhead * (to - from);
    while (this.#rows + to - from > this.#timestamps.length) this.#grow();
    for (let k = from; k < to; k++) {
      const row = order[k]!;
      const timestamp = rows.timestamps[row]!;
      this.#timestamps[this.#rows] = timestamp;
      if (timestamp === timestamp) this.#timed = true;
      this.#hashes[this.#rows++] = rows.hashes[row]!;
    }
  }

  take(): Uint8Array<ArrayBuffer> {
    const out = this.#out;
    const rows = this.#rows;
    out.reset();
    out.u8(magic0);
    out.u8(magic1);
    out.u8(version);
    out.u8((this.#timed ? flag.timestamps : 0) | (this.#hashed ? flag.hashes : 0));
    out.u32(rows);
    if (this.#timed) {
      const at = reserve(out, 8, rows * 8);
      new Float64Array(out.buffer.buffer, at, rows).set(this.#timestamps.subarray(0, rows));
    }
    const hashesAt = this.#hashed ? reserve(out, 4, rows * 4) : 0;
    if (this.#inSink) this.#writeSink(rows);
    else {
      writeColumn(out, this.#values, rows, ColumnPlace.top());
      if (this.#misses < maxMisses) this.#usePlan(learnPlan(this.#values, rows));
      this.#values = [];
    }
    if (this.#hashed) {
      if (this.#keyCount > 0) this.#hashKeys(rows);
      new Uint32Array(out.buffer.buffer, hashesAt, rows).set(this.#hashes.subarray(0, rows));
    }
    if (++this.#batches % restBatches === 0) this.#misses = 0;
    this.#rows = 0;
    this.#estimate = 0;
    this.#timed = false;
    this.#inSink = false;
    return out.buffer.subarray(0, out.length);
  }

  /** Hashes the string keys that are in no column. */
  #hashKeys(rows: number): void {
    const keys = this.#keys;
    if (keys.length === rows && this.#keyCount === rows) hashStrings(keys, rows, this.#hashes);
    else
      for (let row = 0; row < rows; row++)
        if (keys[row] !== undefined) this.#hashes[row] = hashKey(keys[row]);
    keys.length = 0;
    this.#keyCount = 0;
  }
  /** Hashes the string keys of a column that has just been written. */
  #hashColumn(strings: readonly string[], text: TextPlace | undefined): void {
    const rows = this.#rows;
    if (text === undefined) return hashStrings(strings, rows, this.#hashes);
    // The last block may be read beyond the text.
    this.#out.ensure(8);
    const { buffer } = this.#out.buffer;
    const ends = new Uint32Array(buffer, text.endsAt, rows);
    hashAscii(new DataView(buffer), text.from, ends, rows, this.#hashes);
  }
  #addObject(value: object, row: number): void {
    if (row === 0) this.#begin(value);
    if (this.#inSink) {
      const size = tryPut(this.#sink as RowSink, value, row);
      if (size >= 0) {
        this.#estimate += rowOverhead + size;
        return;
      }
      this.#leaveSink(row);
    }
    this.#addCopy(value, row);
  }

  /** With an object as the first row. */
  #begin(value: object): void {
    const trying = this.#misses < maxMisses;
    if (this.#sink === undefined && trying) this.#usePlan(learnPlan([value], 1));
    this.#inSink = this.#sink !== undefined && trying;
    if (this.#inSink) this.#estimate = this.#frame;
  }

  #addScalar(value: unknown, row: number): void {
    if (this.#inSink) this.#leaveSink(row);
    if (typeof value === "function" || typeof value === "symbol") this.#addCopy(value, row);
    else {
      this.#values[row] = value;
      this.#estimate +=
        rowOverhead + (typeof value === "string" ? value.length + 4 : roughSize(value));
    }
  }

  #addCopy(value: unknown, row: number): void {
    try {
      this.#values[row] = copyValue(value);
    } catch (error) {
      throw withPath(error, "", { row });
    }
    this.#estimate += rowOverhead + roughSize(value);
  }

  /** Turns the columns so far back into rows. */
  #leaveSink(rows: number): void {
    const plan = this.#plan as Plan;
    if (this.#keyCount > 0 && this.#keyColumn >= 0) {
      const keys = (this.#sink as RowSink).columns()[this.#keyColumn] as string[];
      for (let i = 0; i < rows; i++) this.#keys[i] = keys[i]!;
    }
    for (let i = 0; i < rows; i++) this.#values[i] = rowOf(plan, this.#sink as RowSink, i);
    this.#inSink = false;
    this.#misses++;
  }

  #usePlan(plan: Plan | undefined): void {
    if (plan === undefined) return;
    this.#plan = plan;
    this.#frame = frameBytes(plan);
    this.#keyColumn = keyColumnOf(plan, this.#keyField);
    this.#sink = createRowSink(plan);
  }

  #writeSink(rows: number): void {
    const plan = this.#plan as Plan;
    const sampled = this.#batches % restBatches === 0;
    const place = ColumnPlace.top();
    // Always granted: an object in a sink has a field, so a batch of 40 KB has some thousand of them, and one row as many as its plan.
    place.tryTake(rows * structsOf(plan));
    const next = writeRows(this.#out, plan, this.#sink as RowSink, {
      ...{ rows, sampled, place },
      onTexts: (field, strings, text) => {
        if (field !== this.#keyColumn || this.#keyCount === 0) return;
        this.#hashColumn(strings, text);
        this.#keyCount = 0;
      },
    });
    this.#misses = 0;
    if (next === plan) return;
    this.#usePlan(next);
    this.#hasLearnt = true;
  }

  #grow(): void {
    const timestamps = new Float64Array(this.#timestamps.length * 4);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    const hashes = new Uint32Array(timestamps.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }
}

/**
 * The struct column of a sink. Returns the plan for the next batch: from there on, columns of few strings are looked at as a whole
 * and become dictionaries.
 */
function writeRows(
  out: ByteWriter,
  plan: Plan,
  sink: RowSink,
  how: {
    readonly rows: number;
    readonly sampled: boolean;
    readonly place: ColumnPlace;
    readonly onTexts?: (
      field: number,
      strings: readonly string[],
      text: TextPlace | undefined,
    ) => void;
  },
): Plan {
  const { rows, sampled, place } = how;
  const columns = sink.columns();
  const next = [...plan];
  const names = plan.map((f) => f.name);
  writeStruct(out, names, rows, (i) => {
    const field = plan[i] as FieldPlan;
    const column = columns[i];
    if (field.kind === "n") writeFloats(out, column as Float64Array, rows);
    else if (field.kind === "s") {
      const strings = column as string[];
      if (sampled && looksRepetitive(strings, rows)) next[i] = { ...field, kind: "x" };
      const text = writeTexts(out, strings, rows, sampled);
      how.onTexts?.(i, strings, text);
      // Released, or the strings (and what they are slices of) would live until the next batch is as long.
      strings.fill("", 0, rows);
    } else if (field.kind === "r") {
      const inner = writeRows(out, field.plan as Plan, column as RowSink, {
        rows,
        sampled,
        place: place.inner(),
      });
      if (inner !== field.plan) next[i] = { ...field, plan: inner };
    } else {
      writeColumn(out, column as unknown[], rows, place.inner());
      (column as unknown[]).fill(undefined, 0, rows);
    }
  });
  return next.every((field, i) => field === plan[i]) ? plan : next;
}

function structsOf(plan: Plan): number {
  return plan.reduce((sum, f) => sum + (f.plan === undefined ? 0 : structsOf(f.plan)), 1);
}

/** Row `i` of a sink as an object. */
function rowOf(plan: Plan, sink: RowSink, i: number): object {
  const columns = sink.columns();
  const row = {};
  for (let f = 0; f < plan.length; f++) {
    const { name, kind, plan: inner } = plan[f] as FieldPlan;
    const value =
      kind === "r" ? rowOf(inner as Plan, columns[f] as RowSink, i) : (columns[f] as unknown[])[i];
    if (value !== absent) setField(row, name, value);
  }
  return row;
}

/** Bytes of a struct column before its rows. */
function frameBytes(plan: Plan): number {
  return plan.reduce(
    (sum, f) => sum + f.name.length + 24 + (f.plan === undefined ? 0 : frameBytes(f.plan)),
    24,
  );
}
