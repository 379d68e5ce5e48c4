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
import { absent, copyValue, plainness, setField, withPath } from "./plain.ts";
import { createRowSink, type FieldKind, type RowSink, roughSize } from "./shape.ts";
import { looksRepetitive, reserve, writeTexts } from "./text-column.ts";
import { flag, magic0, magic1, maxStructFields, version } from "./wire.ts";

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

export interface Plan {
  readonly names: readonly string[];
  readonly kinds: readonly FieldKind[];
}

export class ColumnBatchWriter implements BatchWriter {
  readonly #hashed: boolean;
  readonly #out = new ByteWriter(1_024);
  #rows = 0;
  #estimate = 0;
  #timestamps = new Float64Array(64);
  #hashes = new Uint32Array(64);
  #timed = false;
  #values: unknown[] = [];
  #plan: Plan | undefined;
  #sink: RowSink | undefined;
  /** The rows so far are in the sink. */
  #inSink = false;
  #misses = 0;
  #batches = 0;
  /** Bytes of the struct column before its rows. */
  #frame = 0;

  constructor(hashed: boolean, plan?: Plan) {
    this.#hashed = hashed;
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
    if (this.#hashed) {
      const at = reserve(out, 4, rows * 4);
      new Uint32Array(out.buffer.buffer, at, rows).set(this.#hashes.subarray(0, rows));
    }
    if (this.#inSink) this.#writeSink(rows);
    else {
      writeColumn(out, this.#values, rows);
      if (this.#misses < maxMisses) this.#learn(rows);
      this.#values = [];
    }
    if (++this.#batches % restBatches === 0) this.#misses = 0;
    this.#rows = 0;
    this.#estimate = 0;
    this.#timed = false;
    this.#inSink = false;
    return out.finish();
  }

  #addObject(value: object, row: number): void {
    if (row === 0) {
      const trying = this.#misses < maxMisses;
      if (this.#sink === undefined && trying) this.#learnFrom(value);
      this.#inSink = this.#sink !== undefined && trying;
      if (this.#inSink) this.#estimate = this.#frame;
    }
    if (this.#inSink) {
      const size = (this.#sink as RowSink).put(value, row);
      if (size >= 0) {
        this.#estimate += rowOverhead + size;
        return;
      }
      this.#leaveSink(row);
    }
    this.#addCopy(value, row);
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
    const { names } = this.#plan as Plan;
    const columns = (this.#sink as RowSink).columns();
    for (let i = 0; i < rows; i++) {
      const object = {};
      for (let f = 0; f < names.length; f++) {
        const value = columns[f]?.[i];
        if (value !== absent) setField(object, names[f] ?? "", value);
      }
      this.#values[i] = object;
    }
    this.#inSink = false;
    this.#misses++;
  }

  /** After a batch that did not fit the plan: the plan for the next one, with the fields of all its rows. */
  #learn(rows: number): void {
    const plan = planOf(this.#values, rows);
    if (plan !== undefined) this.#usePlan(plan);
  }

  #learnFrom(first: object): void {
    if (plainness(first) !== "object") return;
    const names = Object.keys(first);
    this.#usePlan({
      names,
      kinds: names.map((name) => kindOf((first as Record<string, unknown>)[name])),
    });
  }

  #usePlan(plan: Plan): void {
    this.#plan = plan;
    this.#frame = plan.names.reduce((sum, name) => sum + name.length + 24, 24);
    this.#sink =
      plan.names.length > 0 && plan.names.length <= maxStructFields
        ? createRowSink(plan.names, plan.kinds)
        : undefined;
  }

  #writeSink(rows: number): void {
    const { names, kinds } = this.#plan as Plan;
    const columns = (this.#sink as RowSink).columns();
    const out = this.#out;
    const sample = this.#batches % restBatches === 0;
    const repetitive = new Set<number>();
    writeStruct(out, names, rows, (i) => {
      const column = columns[i];
      if (kinds[i] === "n") writeFloats(out, column as Float64Array, rows);
      else if (kinds[i] === "s") {
        const strings = column as string[];
        if (sample && looksRepetitive(strings, rows)) repetitive.add(i);
        writeTexts(out, strings, rows, sample);
        // Released, or the strings (and what they are slices of) would live until the next batch is as long.
        strings.fill("", 0, rows);
      } else {
        writeColumn(out, column as unknown[], rows, 1);
        (column as unknown[]).fill(undefined, 0, rows);
      }
    });
    this.#misses = 0;
    // From the next batch on, columns of few strings are looked at as a whole: they become dictionaries.
    if (repetitive.size > 0)
      this.#usePlan({ names, kinds: kinds.map((k, i) => (repetitive.has(i) ? "x" : k)) });
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

/** Fields in the order of first appearance; the kinds take in every value of the batch. Undefined when rows are not objects. */
function planOf(values: readonly unknown[], rows: number): Plan | undefined {
  const kinds = new Map<string, FieldKind>();
  const counts = new Map<string, number>();
  for (let i = 0; i < rows; i++) {
    const row = values[i];
    if (typeof row !== "object" || row === null || plainness(row) !== "object") return undefined;
    for (const name of Object.keys(row)) {
      const found = kindOf((row as Record<string, unknown>)[name]);
      const before = kinds.get(name);
      kinds.set(name, before === undefined || before === found ? found : "x");
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    if (kinds.size > maxStructFields) return undefined;
  }
  return {
    names: [...kinds.keys()],
    kinds: [...kinds].map(([name, k]) => (counts.get(name) === rows ? k : "o")),
  };
}

function kindOf(value: unknown): FieldKind {
  return typeof value === "number" ? "n" : typeof value === "string" ? "s" : "x";
}
