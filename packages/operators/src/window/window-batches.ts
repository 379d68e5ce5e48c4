/**
 * Rows of a batch added to windows together, as far as nothing else has to be done with them: their windows are there and not due. All
 * others go the way of single records, in their turn.
 */
import type { RecordBatch } from "@millrace/data";
import type { BatchKeys, OperatorSetup } from "@millrace/spi";
import type { AddRows } from "./contents.ts";

/** Rows between two questions for room. */
const together = 256;

export class WindowBatches {
  readonly #setup: OperatorSetup;
  readonly #row: (value: unknown, timestamp: number) => void;
  readonly #windows: { startOf(timestamp: number): number; firstOpen(): number };
  readonly #slots = new Int32Array(together);
  /** Of each row of the batch that is being worked on. */
  #starts = new Float64Array(0);
  #batch: RecordBatch | undefined;

  /** `row`: one record, with its key selected. */
  constructor(
    setup: OperatorSetup,
    row: (value: unknown, timestamp: number) => void,
    windows: { startOf(timestamp: number): number; firstOpen(): number },
  ) {
    this.#setup = setup;
    this.#row = row;
    this.#windows = windows;
  }
  onBatch(batch: RecordBatch, add: AddRows, from: number): number {
    const { state, output, keys, keyFields } = this.#setup;
    const { rows, timestamps } = batch;
    const key = keys[0] as (value: unknown) => unknown;
    const batchKeys = state.keysOf(batch, keyFields?.[0], (i) => key(batch.values()[i]));
    this.#begin(batch);
    for (let i = from; i < rows; ) {
      if (output.full) return i;
      const added = this.#add(batchKeys, add, { from: i, rows });
      i += added;
      if (added > 0) continue;
      batchKeys.select(i);
      this.#row(batch.values()[i], timestamps[i]!);
      i += 1;
    }
    this.#batch = undefined;
    return rows;
  }
  #begin(batch: RecordBatch): void {
    if (batch === this.#batch) return;
    this.#batch = batch;
    const { rows, timestamps } = batch;
    if (this.#starts.length < rows) this.#starts = new Float64Array(rows);
    for (let i = 0; i < rows; i++) this.#starts[i] = this.#windows.startOf(timestamps[i]!);
  }
  /** Rows of open windows from `from` on. */
  #add(
    keys: BatchKeys,
    add: AddRows,
    { from, rows }: { readonly from: number; readonly rows: number },
  ): number {
    const starts = this.#starts;
    const first = this.#windows.firstOpen();
    const most = Math.min(rows, from + together);
    let to = from;
    // Without a timestamp there is no start.
    while (to < most && starts[to]! >= first) to += 1;
    return to === from ? 0 : add(keys, { from, to, a: starts, slots: this.#slots });
  }
}
